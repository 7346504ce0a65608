import { type Context, trace } from '@opentelemetry/api';
import type { Span } from './model/span.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineOptions } from './pipeline-options.ts';
import { type SdkSpan, SdkSpanReader } from './source/sdk-span.ts';
import { SdkSpanQueue } from './source/sdk-span-queue.ts';
import type { SpanAccount } from './span-ledger.ts';
import type { PlanStore } from './store/plan-store.ts';
import { type StoreOptions, storeOf } from './store/store-of.ts';
import { tell } from './support/tell.ts';
import { kindOf } from './support/told-error.ts';

export interface FanoutSpanProcessorOptions extends Omit<PipelineOptions, 'holdsWhenFull'>, StoreOptions {
  /**
   * Where plans are kept: a PlanStore, or a URL (`redis://…`, `rediss://…`, `unix:PATH`, `lmdb:PATH`, `memory:`). A store
   * made from a URL is closed at shutdown, one passed in is not.
   */
  readonly store: PlanStore | string;
  /** Most milliseconds that `forceFlush` and `shutdown` take, even while the store hangs. Default 5,000. */
  readonly shutdownTimeoutMillis?: number;
}

/**
 * Learns from the spans of this process. Register it beside the processors that are there already:
 *
 *     new NodeTracerProvider({ spanProcessors: [new FanoutSpanProcessor({ store: 'redis://localhost:6379' })] })
 *
 * Works with the SDK lines 1.30, 2.x and 3.x, and needs none of them at run time. It never throws into the application,
 * never changes a span, and does its work after the fact, on the event loop. Spans that are recorded but not sampled
 * are learned from too.
 */
export class FanoutSpanProcessor {
  /** The store that is learned into; give it to a PlanReader to see new plans at once. */
  readonly store: PlanStore;
  readonly #ownsStore: boolean;
  readonly #pipeline: Pipeline;
  readonly #reader = new SdkSpanReader();
  readonly #spans: SdkSpanQueue;
  readonly #timeoutMillis: number;
  /** Spans of SDK 1.x whose parent is in another process; only the start shows it. */
  readonly #remoteChildren = new WeakSet<object>();
  #hasWarned = false;
  #shutdown: Promise<void> | undefined;

  /** @throws RangeError or TypeError where an option is wrong; the message says what to give instead. */
  constructor(options: FanoutSpanProcessorOptions) {
    const { store, shutdownTimeoutMillis = 5_000 } = options;
    if (!Number.isFinite(shutdownTimeoutMillis) || shutdownTimeoutMillis <= 0) {
      throw new RangeError(
        `shutdownTimeoutMillis must be a number above 0, not ${String(shutdownTimeoutMillis)}`,
      );
    }
    const { appliedRunTtlSeconds, lateMillis = 3_600_000 } = options;
    if (appliedRunTtlSeconds !== undefined && appliedRunTtlSeconds * 1_000 < lateMillis) {
      throw new RangeError(
        'appliedRunTtlSeconds must not be below lateMillis: a late span would count its run again',
      );
    }
    this.#timeoutMillis = shutdownTimeoutMillis;
    this.#ownsStore = typeof store === 'string';
    this.store = storeOf(store, options);
    this.#pipeline = new Pipeline(this.store, options, 'process', {
      readOpen: (span) => this.#readOpen(span),
    });
    const sink = {
      begin: () => this.#pipeline.beginTurn(),
      started: (span: SdkSpan, now: number) => this.#started(span, now),
      ended: (span: SdkSpan, now: number) => this.#ended(span, now),
    };
    this.#spans = new SdkSpanQueue(sink, () => this.#pipeline.now());
  }

  onStart(span: SdkSpan, parentContext: Context): void {
    if (this.#shutdown !== undefined) return;
    try {
      if (span.parentSpanContext === undefined && span.parentSpanId !== undefined) {
        if (trace.getSpanContext(parentContext)?.isRemote === true) this.#remoteChildren.add(span);
      }
      this.#spans.start(span);
    } catch (error) {
      this.#warn(error);
    }
  }

  onEnd(span: SdkSpan): void {
    if (this.#shutdown === undefined) this.#spans.end(span);
  }

  #started(span: SdkSpan, now: number): void {
    try {
      const { traceId, spanId } = span.spanContext();
      this.#pipeline.start(traceId, spanId, span, now);
    } catch (error) {
      this.#warn(error);
    }
  }

  #ended(span: SdkSpan, now: number): void {
    try {
      this.#pipeline.add(this.#read(span), now);
    } catch (error) {
      this.#abandon(span, error);
    }
  }

  /** A span that cannot be read must not hold its trace back for hours. */
  #abandon(span: SdkSpan, error: unknown): void {
    this.#warn(error);
    try {
      const { traceId, spanId } = span.spanContext();
      this.#pipeline.abandon(traceId, spanId, error);
    } catch {
      // It does not even say which span it is; the age limit takes care of its trace.
    }
  }

  /**
   * Learns and writes every trace that has no open span; open ones stay. Never rejects, and resolves within
   * `shutdownTimeoutMillis`.
   */
  async forceFlush(): Promise<void> {
    if (this.#shutdown !== undefined) return this.#shutdown;
    this.#spans.drain();
    await this.#withinTimeout(this.#pipeline.flush(this.#timeoutMillis));
  }

  /** Learns and writes everything, open spans as they are, then does nothing any more. Idempotent; never rejects. */
  shutdown(): Promise<void> {
    if (this.#shutdown === undefined) this.#spans.drain();
    this.#shutdown ??= this.#withinTimeout(this.#close());
    return this.#shutdown;
  }

  /** Where every span that was received is now; what the metrics `spanplan.spans.*` tell. */
  get account(): SpanAccount {
    this.#spans.drain();
    return this.#pipeline.account;
  }

  async #close(): Promise<void> {
    // A tenth of the time is left for closing the connection.
    await this.#pipeline.shutdown(this.#timeoutMillis * 0.9);
    if (this.#ownsStore) await this.store.close();
  }

  #read(span: SdkSpan): Span {
    // SDK 2 and 3 say it on the span; only for 1.x is it looked up.
    const isRemote = span.parentSpanContext === undefined && this.#remoteChildren.has(span);
    return this.#reader.read(span, isRemote || undefined);
  }

  /** Open spans are read only when their trace leaves the buffer early, and may be foreign objects. */
  #readOpen(span: object): Span | undefined {
    try {
      return this.#read(span as SdkSpan);
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  async #withinTimeout(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutMillis);
    });
    try {
      await Promise.race([work, timeout]);
    } catch (error) {
      this.#warn(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const name = kindOf(error);
    tell.warn(`spanplan: a span or the store caused an error (${name}); the application is not affected`);
  }
}
