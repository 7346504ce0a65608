import type { Span } from '../src/model/span.ts';
import { Pipeline } from '../src/pipeline.ts';
import type { DecodedBatch } from '../src/source/otlp/otlp-batch.ts';
import type { OtlpRequest, OtlpSink } from '../src/source/receiver/otlp-sink.ts';
import type { SpanAccount } from '../src/span-ledger.ts';
import { NoOpStore } from './no-op-store.ts';

/** What stands behind a receiver that is measured: a pipeline, whose traces are finished when it is told. */
export class BufferingSink implements OtlpSink {
  #now = 0;
  readonly pipeline = new Pipeline(new NoOpStore(), {
    clock: { now: () => this.#now, every: () => () => {} },
  });
  #before: SpanAccount = this.pipeline.account;

  readonly ignoresBodies = true;
  admit = () => () => {};
  readonly wants = this.pipeline.attributes.wants;

  learn(spans: readonly Span[]): void {
    this.pipeline.consume(spans);
  }

  accept(_: OtlpRequest, batch: DecodedBatch | undefined): undefined {
    if (batch !== undefined) this.pipeline.consume(batch.spans);
  }

  /**
   * Finishes and forgets all traces, as later ones do not differ from these then.
   * @returns what became of the spans since the last time.
   */
  async empty(): Promise<Readonly<Record<string, number>>> {
    await this.pipeline.flush(60_000);
    this.#now += FORGET_MILLIS;
    this.pipeline.tick();
    const before = this.#before;
    const now = this.pipeline.account;
    this.#before = now;
    if (now.buffered + now.awaiting > 0 || Object.keys(now.dropped).length > 0) {
      throw new Error(`a span did not come to its end: ${JSON.stringify(now)}`);
    }
    return {
      received: now.received - before.received,
      learned: now.learned - before.learned,
      ignored: now.ignored - before.ignored,
      duplicate: now.duplicate - before.duplicate,
    };
  }
}

/** Longer than a finished trace is kept for late spans. */
const FORGET_MILLIS = 2 * 3_600_000;
