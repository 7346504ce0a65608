import type { TestProject } from 'vitest/node';
import { startRedisServer } from './redis-server.ts';

/** One Redis for all test files; those that stop or freeze a server start their own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startRedisServer();
  project.provide('redisUrl', server.url);
  return () => server.dispose();
}

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
  }
}
