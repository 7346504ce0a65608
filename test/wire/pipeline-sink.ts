import { Pipeline } from '../../src/pipeline.ts';
import type { PipelineOptions } from '../../src/pipeline-options.ts';
import type { DecodedBatch } from '../../src/source/otlp-batch.ts';
import type { OtlpRequest, OtlpSink } from '../../src/source/otlp-sink.ts';
import { learnedOf, roomyStore } from '../support/learned.ts';

/** A sink that learns: a pipeline on a store in memory, with the room of a small sidecar. */
export class PipelineSink implements OtlpSink {
  readonly #store = roomyStore();
  readonly pipeline: Pipeline;
  #free = 256 * 2 ** 20;

  constructor(options: PipelineOptions = {}) {
    this.pipeline = new Pipeline(this.#store, options);
  }

  admit(bytes: number): (() => void) | undefined {
    if (bytes > this.#free) return undefined;
    this.#free -= bytes;
    return () => {
      this.#free += bytes;
    };
  }

  wants(key: string): boolean {
    return this.pipeline.attributes.wants(key);
  }

  accept(_: OtlpRequest, batch: DecodedBatch | undefined): undefined {
    if (batch !== undefined) this.pipeline.consume(batch.spans);
  }

  /** Everything that was learned, once all is. */
  async learned(): Promise<unknown> {
    await this.pipeline.shutdown(5_000);
    return learnedOf(this.#store);
  }
}
