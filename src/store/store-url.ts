import { parseRedisUrl, type RedisTarget } from './redis/redis-url.ts';

/** What the URL of a store says. */
export type StoreUrl =
  | { readonly kind: 'memory'; readonly label: string }
  | { readonly kind: 'lmdb'; readonly path: string; readonly label: string }
  | { readonly kind: 'redis'; readonly target: RedisTarget; readonly label: string };

/**
 * Reads the URL of a store: `memory:`, `lmdb:PATH`, `redis://…`, `rediss://…` or `unix:PATH`. Its `label` may be shown to
 * anyone: it names the store without user and password.
 * @throws RangeError that says what is wrong and never holds the URL itself, which may hold a password.
 */
export function parseStoreUrl(url: string): StoreUrl {
  const scheme = /^[a-z+]+:/i.exec(url)?.[0].toLowerCase();
  const rest = url.slice(scheme?.length);
  switch (scheme) {
    case 'memory:':
      return { kind: 'memory', label: 'memory:' };
    case 'lmdb:':
      if (rest === '') throw new RangeError('An lmdb: URL names a directory, such as lmdb:./.spanplan');
      return { kind: 'lmdb', path: rest, label: `lmdb:${rest}` };
    case 'redis:':
    case 'rediss:':
      if (!rest.startsWith('//')) throw new RangeError('A Redis URL looks like redis://HOST:PORT');
      return redisUrl(url);
    case 'redis+unix:':
    case 'unix:':
      return redisUrl(url);
    default:
      throw new RangeError(
        'That is no URL of a store; give memory:, lmdb:PATH, redis://HOST:PORT, rediss://HOST:PORT or unix:PATH',
      );
  }
}

function redisUrl(url: string): StoreUrl {
  const target = parseRedisUrl(url);
  return { kind: 'redis', target, label: target.label };
}
