import { onTestFinished } from 'vitest';
import type { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import type { OtlpHttpReceiver, OtlpHttpReceiverOptions } from '../../src/source/receiver/otlp-http.ts';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';
import { RecordingSink } from './recording-sink.ts';

/** The largest body that receivers of tests take, where a test does not say otherwise. */
export const LIMIT = 100_000;

/** A receiver that listens until the test ends, and what it gives its requests to. */
export interface Receiving {
  /** Hears nothing where the options name another. */
  readonly sink: RecordingSink;
  readonly receiver: OtlpHttpReceiver | OtlpGrpcReceiver;
  readonly address: BoundAddress;
}

/** To be called inside a test. */
export async function receiving(
  Receiver: new (options: OtlpHttpReceiverOptions) => Receiving['receiver'],
  options: Partial<OtlpHttpReceiverOptions> = {},
): Promise<Receiving> {
  const sink = new RecordingSink();
  const receiver = new Receiver({ sink, host: '127.0.0.1', port: 0, maxRequestBodySize: LIMIT, ...options });
  onTestFinished(() => receiver.close(0));
  return { sink, receiver, address: await receiver.listen() };
}
