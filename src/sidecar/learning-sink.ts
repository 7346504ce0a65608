import type { DecodedBatch } from '../source/otlp-batch.ts';
import type { OtlpRequest, OtlpSink, UpstreamAnswer } from '../source/otlp-sink.ts';
import type { Tenants } from './tenants.ts';

/** Where requests go on to. Never throws. */
export interface Passage {
  /** @returns undefined where the receiver may answer by itself at once; else what it is to wait for. */
  pass(request: OtlpRequest): Promise<UpstreamAnswer | undefined> | undefined;
}

/**
 * What stands behind the receivers:
 *
 *     admit: is there room? → accept: to the tenant's pipeline, and on its way
 *
 * Learning and passing on do not wait for each other: the first is done when `accept` returns, the second begins then.
 */
export class LearningSink implements OtlpSink {
  readonly #maxBytes: number;
  readonly #tenants: Tenants;
  readonly #passage: Passage | undefined;
  #bytes = 0;
  #rejected = 0;
  readonly #unused = new Map<string, number>();

  constructor(maxBytes: number, tenants: Tenants, passage: Passage | undefined) {
    this.#maxBytes = maxBytes;
    this.#tenants = tenants;
    this.#passage = passage;
  }

  admit(bytes: number): (() => void) | undefined {
    if (this.#bytes + bytes > this.#maxBytes) return undefined;
    this.#bytes += bytes;
    let isGiven = true;
    return () => {
      if (isGiven) this.#bytes -= bytes;
      isGiven = false;
    };
  }

  wants(key: string): boolean {
    // All pipelines are set up alike.
    const [tenant] = this.#tenants.values();
    return tenant?.pipeline.attributes.wants(key) ?? false;
  }

  accept(
    request: OtlpRequest,
    batch: DecodedBatch | undefined,
  ): Promise<UpstreamAnswer | undefined> | undefined {
    if (batch !== undefined) {
      this.#rejected += batch.rejected;
      this.#tenants.get(request.tenant)?.pipeline.consume(batch.spans);
    } else if (this.#passage === undefined) {
      this.#unused.set(request.signal, (this.#unused.get(request.signal) ?? 0) + 1);
    }
    return this.#passage?.pass(request);
  }

  /** Bytes that are worked on now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether not even a small request would be let in. */
  get isFull(): boolean {
    return this.#bytes + SMALL_BYTES > this.#maxBytes;
  }

  /** Spans that were not usable. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Requests that were taken and went nowhere, by signal. */
  get unused(): ReadonlyMap<string, number> {
    return this.#unused;
  }
}

/** What a body is given room for before it is read. */
const SMALL_BYTES = 4_096;
