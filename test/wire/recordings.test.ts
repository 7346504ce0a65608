import { describe, expect, it } from 'vitest';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';
import { CAPTURE_NAMES, requestsOf } from '../support/captures.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { call, grpcClient } from './grpc-client.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post } from './http-client.ts';
import { PipelineSink } from './pipeline-sink.ts';

/** Posting recordings takes less time than any of the limits by which traces are released. */
const STILL = { clock: undefined } as const;

/** What is learned where all is given to the pipeline in one call. */
async function learnedAtOnce(requests: readonly OtlpJson[]): Promise<unknown> {
  const sink = new PipelineSink(STILL);
  sink.pipeline.consume(
    requests.flatMap((request) => decodeOtlpJson(JSON.stringify(request), (key) => sink.wants(key)).spans),
  );
  return sink.learned();
}

/** One request for each span, as a sender without batches would make them. */
function split(requests: readonly OtlpJson[]): readonly OtlpJson[] {
  return requests.flatMap((request) =>
    list(request.resourceSpans).flatMap((resourceSpans) =>
      list(resourceSpans.scopeSpans).flatMap((scopeSpans) =>
        list(scopeSpans.spans).map((span) => ({
          resourceSpans: [{ ...resourceSpans, scopeSpans: [{ ...scopeSpans, spans: [span] }] }],
        })),
      ),
    ),
  );
}

function list(value: unknown): readonly OtlpJson[] {
  return Array.isArray(value) ? value : [];
}

/** In an order that has nothing to do with time, yet is the same in each run. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item, index) => ({ item, key: (index * 7_919 + 13) % 1_009 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

const ARRIVALS: Readonly<Record<string, (requests: readonly OtlpJson[]) => readonly OtlpJson[]>> = {
  whole: (requests) => requests,
  'split and shuffled': (requests) => shuffled(split(requests)),
  twice: (requests) => [...requests, ...shuffled(split(requests))],
};

interface Way {
  readonly Receiver: typeof OtlpHttpReceiver | typeof OtlpGrpcReceiver;
  send(address: BoundAddress, requests: readonly OtlpJson[]): Promise<void>;
}

const overHttp = (headers: Record<string, string>, encode: (json: OtlpJson) => string | Uint8Array): Way => ({
  Receiver: OtlpHttpReceiver,
  async send(address, requests) {
    for (const request of requests) {
      expect((await post(address, { headers, body: encode(request) })).status).toBe(200);
    }
  },
});

const WAYS: Readonly<Record<string, Way>> = {
  'HTTP in JSON': overHttp(JSON_TYPE, (request) => JSON.stringify(request)),
  'HTTP in protobuf': overHttp(PROTOBUF_TYPE, encodeOtlp),
  gRPC: {
    Receiver: OtlpGrpcReceiver,
    async send(address, requests) {
      const client = grpcClient(address);
      for (const request of requests) {
        expect((await call(client, Buffer.from(encodeOtlp(request)))).error).toBeUndefined();
      }
    },
  },
};

describe.each(CAPTURE_NAMES)('the recording %s', (capture) => {
  it('teaches over the wire what it teaches at once, however it is sent', async () => {
    const requests = requestsOf(capture);
    const expected = await learnedAtOnce(requests);
    for (const [way, { Receiver, send }] of Object.entries(WAYS)) {
      for (const [arrival, arranged] of Object.entries(ARRIVALS)) {
        const sink = new PipelineSink(STILL);
        const receiver = new Receiver({ sink, host: '127.0.0.1', port: 0 });
        await send(await receiver.listen(), arranged(requests));
        await receiver.close(1_000);
        expect(await sink.learned(), `${way}, ${arrival}`).toEqual(expected);
      }
    }
  });
});
