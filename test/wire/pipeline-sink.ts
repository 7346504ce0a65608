import type { Wants } from '../../src/conventions/attribute-names.ts';
import type { Span } from '../../src/model/span.ts';
import { Pipeline } from '../../src/pipeline.ts';
import type { PipelineOptions } from '../../src/pipeline-options.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import type { OtlpRequest, OtlpSink } from '../../src/source/receiver/otlp-sink.ts';
import { learnedOf, roomyStore } from '../support/learned.ts';

const ROOM = 256 * 2 ** 20;

/** A sink that learns: a pipeline on a store in memory, with the room of a small sidecar. */
export class PipelineSink implements OtlpSink {
  readonly #store = roomyStore();
  readonly pipeline: Pipeline;
  readonly ignoresBodies = true;
  /** Bytes that were given and not given back. */
  held = 0;

  constructor(options: PipelineOptions = {}) {
    this.pipeline = new Pipeline(this.#store, options);
  }

  admit(bytes: number): (() => void) | undefined {
    if (this.held + bytes > ROOM) return undefined;
    this.held += bytes;
    return () => {
      this.held -= bytes;
    };
  }

  get wants(): Wants {
    return this.pipeline.attributes.wants;
  }

  learn(spans: readonly Span[]): void {
    this.pipeline.consume(spans);
  }

  accept(_: OtlpRequest, batch: DecodedBatch | undefined): undefined {
    if (batch === undefined) return;
    this.pipeline.consume(batch.spans);
    this.pipeline.leaveOut(batch.unusable ?? 0);
  }

  /** Everything that was learned, once all is. */
  async learned(): Promise<unknown> {
    await this.pipeline.shutdown(5_000);
    return learnedOf(this.#store);
  }
}
