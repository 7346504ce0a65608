import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';

/** The method that takes traces. */
export const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** Of a client that compresses what it sends. */
export const GZIP: ClientOptions = { 'grpc.default_compression_algorithm': 2 };

/** A client of a gRPC library, which sends bytes and takes bytes, until the test ends. To be called inside one. */
export function grpcClient({ host, port }: BoundAddress, options: ClientOptions = {}): Client {
  const client = new Client(`${host}:${port}`, credentials.createInsecure(), options);
  onTestFinished(() => client.close());
  return client;
}

export interface Called {
  readonly path?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

const bytes = (value: Buffer) => value;

/** @returns the answer, or the error as the library makes it of the status. */
export function call(
  client: Client,
  body: Buffer,
  { path = EXPORT, metadata = {} }: Called = {},
): Promise<{ readonly value?: Buffer; readonly error?: ServiceError }> {
  const fields = new Metadata();
  for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, bytes, bytes, body, fields, (error, value) =>
      resolve({ ...(error && { error }), ...(value && { value }) }),
    );
  });
}
