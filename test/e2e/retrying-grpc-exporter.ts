import { type Metadata, status } from '@grpc/grpc-js';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { readRpcStatus } from '../wire/rpc-status.ts';

type Spans = Parameters<SpanExporter['export']>[0];
type Result = Parameters<Parameters<SpanExporter['export']>[1]>[0];

const MAX_RETRIES = 5;

/**
 * Stands around the gRPC exporter of SDK 2.12, which gives a batch up at the first UNAVAILABLE. The specification has
 * an exporter try again after the time that RetryInfo names, and give up where there is none; so this one does.
 */
export class RetryingGrpcExporter implements SpanExporter {
  readonly #exporter: SpanExporter;

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter;
  }

  export(spans: Spans, done: (result: Result) => void): void {
    void this.#export(spans).then(done);
  }

  async #export(spans: Spans): Promise<Result> {
    for (let retries = 0; ; retries++) {
      const result = await new Promise<Result>((resolve) => this.#exporter.export(spans, resolve));
      const millis = result.error && retryMillisOf(result.error);
      if (millis === undefined || retries === MAX_RETRIES) return result;
      await new Promise((resolve) => setTimeout(resolve, millis));
    }
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

function retryMillisOf(error: Error & { code?: unknown; metadata?: Metadata }): number | undefined {
  const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (error.code !== status.UNAVAILABLE || !(details instanceof Buffer)) return undefined;
  const { RetryInfo } = readRpcStatus(details, 'application/x-protobuf').details;
  const [, seconds] = /"retryDelay":"(\d+)s"/.exec(JSON.stringify(RetryInfo) ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
