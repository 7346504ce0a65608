/**
 * What spanplan needs of a Redis client: what the clients of ioredis 5 and 6 have in common, those of Cluster
 * included. Structural, so that an application may bring either.
 */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: object;
  call(command: string, args: (string | number | Buffer)[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  connect(): Promise<unknown>;
  disconnect(): void;
  duplicate(): RedisClient;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: string, listener: (error: Error) => void): unknown;
  off(event: string, listener: (error: Error) => void): unknown;
}
