import type { Span } from '../../src/model/span.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import type { OtlpRequest, OtlpSink, UpstreamAnswer } from '../../src/source/receiver/otlp-sink.ts';

/** A sink that keeps what it is given, and has as much room as it is told. */
export class RecordingSink implements OtlpSink {
  readonly requests: OtlpRequest[] = [];
  /** Spans that came before those of the batches. */
  readonly pieces: (readonly Span[])[] = [];
  readonly batches: (DecodedBatch | undefined)[] = [];
  /** Whether spans are decoded as they come in, where they can be; then the bodies of requests are not told. */
  readonly ignoresBodies: boolean;
  /** In bytes. */
  room = Number.POSITIVE_INFINITY;
  /** Bytes that were given and not given back. */
  held = 0;
  most = 0;
  /** What an upstream answers; without one the receiver answers by itself. */
  upstream: ((request: OtlpRequest) => Promise<UpstreamAnswer>) | undefined;

  constructor({ ignoresBodies = false } = {}) {
    this.ignoresBodies = ignoresBodies;
  }

  /** Lets the upstream take its time. @returns once it is asked, what makes it answer. */
  whenUpstreamIsAsked(): Promise<(body: Buffer) => void> {
    return new Promise((asked) => {
      this.upstream = () =>
        new Promise((resolve) => {
          asked((body) => resolve({ status: 200, retryAfterSeconds: undefined, body }));
        });
    });
  }

  admit(bytes: number): (() => void) | undefined {
    if (this.held + bytes > this.room) return undefined;
    this.held += bytes;
    this.most = Math.max(this.most, this.held);
    let isGiven = true;
    return () => {
      if (!isGiven) throw new Error('the same room was given back twice');
      isGiven = false;
      this.held -= bytes;
    };
  }

  wants(): boolean {
    return true;
  }

  learn(spans: readonly Span[]): void {
    this.pieces.push(spans);
  }

  accept(request: OtlpRequest, batch: DecodedBatch | undefined): Promise<UpstreamAnswer> | undefined {
    this.requests.push(request);
    this.batches.push(batch);
    return this.upstream?.(request);
  }

  /** Names of all spans, in order of arrival. */
  get spans(): readonly string[] {
    const spans = [...this.pieces.flat(), ...this.batches.flatMap((batch) => batch?.spans ?? [])];
    return spans.map(({ name }) => name);
  }
}
