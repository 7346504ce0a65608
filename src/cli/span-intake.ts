import { Pipeline } from '../pipeline.ts';
import type { PipelineObserver } from '../pipeline-observer.ts';
import { fileNameOf, type InputFile } from '../source/files/input-file.ts';
import { readSpanFile } from '../source/files/span-files.ts';
import type { DecodedBatch } from '../source/otlp/otlp-batch.ts';
import type { Explainer } from './explainer.ts';
import type { Intake } from './intake.ts';
import type { LearnOptions } from './learn-options.ts';
import { settleWrites } from './settle-writes.ts';
import type { Tally } from './tally.ts';
import type { WriteWatch } from './write-watch.ts';

/**
 * Spans on their way from files into the store. No timer runs: a trace may stand in several files, hours apart in its
 * own time, so all are released at the end of all input.
 */
export class SpanIntake implements Intake {
  readonly #watch: WriteWatch;
  readonly #tally: Tally;
  readonly #explainer: Explainer | undefined;
  readonly #pipeline: Pipeline;
  readonly #onProgress: () => void;

  constructor(
    watch: WriteWatch,
    tally: Tally,
    options: LearnOptions,
    explainer: Explainer | undefined,
    onProgress: () => void,
  ) {
    this.#watch = watch;
    this.#tally = tally;
    this.#explainer = explainer;
    this.#onProgress = onProgress;
    const { cohorts, maxGroups, minOverlap, run, agent } = options;
    this.#pipeline = new Pipeline(
      watch,
      {
        clock: undefined,
        evict: 'idle',
        // Reading waits for writing, so nothing needs to be shed.
        maxQueuedRuns: Number.MAX_SAFE_INTEGER,
        maxQueuedBytes: Number.MAX_SAFE_INTEGER,
        ...(cohorts !== undefined && { cohorts }),
        ...(maxGroups !== undefined && { maxGroups }),
        ...(minOverlap !== undefined && { minOverlapMillis: minOverlap }),
        ...(run !== undefined && { run }),
        ...(agent !== undefined && { agentId: agent }),
      },
      'wire',
      this.#observer(),
    );
  }

  async read(file: InputFile): Promise<void> {
    const { attributes } = this.#pipeline;
    const rejected: DecodedBatch[] = [];
    for await (const item of readSpanFile(file, attributes.wants)) {
      if ('problem' in item) {
        this.#tally.problem(item.problem);
        continue;
      }
      this.#pipeline.consume(item.batch.spans);
      this.#pipeline.leaveOut(item.batch.unusable ?? 0);
      if (item.batch.rejected > 0) rejected.push(item.batch);
      this.#onProgress();
      await this.#settle(MAX_AWAITING);
    }
    const reason = reasonOf(rejected);
    if (reason !== undefined) this.#tally.problem({ file: fileNameOf(file), reason });
  }

  async finish(): Promise<void> {
    await this.#settle(0, async () => {
      await this.#pipeline.flush(FLUSH_MILLIS);
      this.#onProgress();
    });
    await this.#pipeline.shutdown(FLUSH_MILLIS);
  }

  /** The first step of the last settling releases all traces; until then `pending` counts those that wait for it. */
  async #settle(atMost: number, step?: () => Promise<unknown>): Promise<void> {
    const pending = () => {
      const { awaiting, buffered } = this.#pipeline.account;
      return step === undefined ? awaiting : awaiting + buffered;
    };
    await settleWrites({ watch: this.#watch, pending, atMost, ...(step && { step }) });
    await this.#explainer?.out.drained();
  }

  #observer(): PipelineObserver {
    const tally = this.#tally;
    const explainer = this.#explainer;
    return {
      recognised(span, verdict) {
        tally.span(span);
        if (verdict.role !== 'none') tally.recognised++;
        explainer?.span(span);
      },
      assembled(trace, runs) {
        if (trace.segment === 1 && trace.revision === 1) tally.traces++;
        for (const { run } of runs) tally.run(run);
        explainer?.trace(trace, runs);
      },
    };
  }
}

/** Spans of finished traces that may wait for the store before reading pauses. */
const MAX_AWAITING = 50_000;
const FLUSH_MILLIS = 500;

/** Says once for a file how many of its spans could not be used. */
function reasonOf(batches: readonly DecodedBatch[]): string | undefined {
  const [first] = batches;
  if (first === undefined || batches.length === 1) return first?.message;
  const spans = batches.reduce((sum, batch) => sum + batch.rejected, 0);
  return `${spans} spans rejected in ${batches.length} requests; in the first ${first.message ?? ''}`;
}
