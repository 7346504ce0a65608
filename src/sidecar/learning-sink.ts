import { WANTS_NOTHING, type Wants } from '../conventions/attribute-names.ts';
import type { Span } from '../model/span.ts';
import type { DecodedBatch } from '../source/otlp/otlp-batch.ts';
import type { OtlpRequest, OtlpSink, RequestOwner, UpstreamAnswer } from '../source/receiver/otlp-sink.ts';
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
 * So spans that go on are never refused for want of room to learn; the oldest runs that wait are dropped then, and
 * counted. Spans that do not go on are refused, and their sender comes again with them.
 */
export class LearningSink implements OtlpSink {
  readonly #maxBytes: number;
  readonly #tenants: Tenants;
  readonly #passage: Passage | undefined;
  #bytes = 0;
  readonly #bytesByTenant = new Map<string | undefined, number>();
  #rejected = 0;
  readonly #unused = new Map<string, number>();

  constructor(maxBytes: number, tenants: Tenants, passage: Passage | undefined) {
    this.#maxBytes = maxBytes;
    this.#tenants = tenants;
    this.#passage = passage;
  }

  admit(bytes: number, { signal, tenant }: RequestOwner): (() => void) | undefined {
    if (signal === 'traces' && this.#isBehind(tenant)) return undefined;
    if (!this.#hasRoom(bytes, tenant)) return undefined;
    this.#add(bytes, tenant);
    let isGiven = true;
    return () => {
      if (isGiven) this.#add(-bytes, tenant);
      isGiven = false;
    };
  }

  get ignoresBodies(): boolean {
    return this.#passage === undefined;
  }

  get wants(): Wants {
    // All pipelines are set up alike.
    const [tenant] = this.#tenants.values();
    return tenant?.pipeline.attributes.wants ?? WANTS_NOTHING;
  }

  learn(spans: readonly Span[], { tenant }: RequestOwner): void {
    this.#tenants.get(tenant)?.pipeline.consume(spans);
  }

  accept(
    request: OtlpRequest,
    batch: DecodedBatch | undefined,
  ): Promise<UpstreamAnswer | undefined> | undefined {
    if (batch !== undefined) {
      this.#rejected += batch.rejected;
      const pipeline = this.#tenants.get(request.tenant)?.pipeline;
      pipeline?.consume(batch.spans);
      pipeline?.leaveOut(batch.unusable ?? 0);
    } else if (this.#passage === undefined) {
      this.#unused.set(request.signal, (this.#unused.get(request.signal) ?? 0) + 1);
    }
    return this.#passage?.pass(request);
  }

  /** Bytes that are worked on now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether no tenant would be let in with even a small request. */
  get isFull(): boolean {
    return [...this.#tenants.keys()].every(
      (tenant) => this.#isBehind(tenant) || !this.#hasRoom(SMALL_BYTES, tenant),
    );
  }

  /** Spans that were not usable. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Requests that were taken and went nowhere, by signal. */
  get unused(): ReadonlyMap<string, number> {
    return this.#unused;
  }

  #isBehind(tenant: string | undefined): boolean {
    return this.#passage === undefined && this.#tenants.get(tenant)?.pipeline.isFull === true;
  }

  /** Where there are several tenants, none may have more than it leaves to the others. */
  #hasRoom(bytes: number, tenant: string | undefined): boolean {
    const left = this.#maxBytes - this.#bytes - bytes;
    if (this.#tenants.size === 1) return left >= 0;
    return left >= (this.#bytesByTenant.get(tenant) ?? 0) + bytes;
  }

  #add(bytes: number, tenant: string | undefined): void {
    this.#bytes += bytes;
    this.#bytesByTenant.set(tenant, (this.#bytesByTenant.get(tenant) ?? 0) + bytes);
  }
}

/** What a body is given room for before it is read. */
const SMALL_BYTES = 4_096;
