import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import './global-setup.ts';

/** URL of the Redis that all test files share; each uses prefixes of its own. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** A key prefix that no other test has. */
export function freshPrefix(): string {
  return `t${randomBytes(6).toString('hex')}:`;
}

/** A plain client for looking at what a store wrote, and for writing what another runtime would. */
export function redisClient(url: string = redisUrl()): Redis {
  const client = new Redis(url.replace(/^unix:/, ''));
  client.on('error', () => undefined);
  return client;
}
