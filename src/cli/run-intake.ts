import { ToolParallelismLearner } from '../learner/tool-parallelism-learner.ts';
import type { RunRecord } from '../model/run-record.ts';
import { endOf } from '../run-changes.ts';
import type { InputFile } from '../source/files/input-file.ts';
import { readRunFile } from '../source/files/run-files.ts';
import { WriteQueue } from '../store/write-queue.ts';
import { boundedName } from '../support/bounded-name.ts';
import type { Intake } from './intake.ts';
import type { LearnOptions } from './learn-options.ts';
import { settleWrites } from './settle-writes.ts';
import type { Tally } from './tally.ts';
import type { WriteWatch } from './write-watch.ts';

/** RunRecords on their way from files into the store: past recognition and the buffer, the rest is as for spans. */
export class RunIntake implements Intake {
  readonly #watch: WriteWatch;
  readonly #tally: Tally;
  readonly #options: LearnOptions;
  readonly #onProgress: () => void;
  readonly #learner: ToolParallelismLearner;
  readonly #queue: WriteQueue;

  constructor(watch: WriteWatch, tally: Tally, options: LearnOptions, onProgress: () => void) {
    this.#watch = watch;
    this.#tally = tally;
    this.#options = options;
    this.#onProgress = onProgress;
    this.#learner = new ToolParallelismLearner(options);
    this.#queue = new WriteQueue(watch);
  }

  async read(file: InputFile): Promise<void> {
    for await (const item of readRunFile(file)) {
      if ('problem' in item) {
        this.#tally.problem(item.problem);
        continue;
      }
      this.#take(adjusted(item.run, this.#options));
      this.#onProgress();
      if (this.#queue.size >= MAX_QUEUED || this.#queue.bytes >= MAX_QUEUED_BYTES) await this.#settle(0);
    }
  }

  async finish(): Promise<void> {
    await this.#settle(0);
    await this.#queue.close(CLOSE_MILLIS);
  }

  #take(run: RunRecord): void {
    this.#tally.run(run);
    const { cohorts } = this.#learner.learn(run);
    this.#queue.enqueue(
      run.agentId,
      { runId: run.id, revision: 1, run, endedAt: endOf(run), cohorts },
      undefined,
    );
  }

  async #settle(atMost: number): Promise<void> {
    const step = () => this.#queue.drain(DRAIN_MILLIS);
    await settleWrites({ watch: this.#watch, pending: () => this.#queue.size, atMost, step });
  }
}

/** Half of what the queue takes, so that it never drops a run. */
const MAX_QUEUED = 5_000;
const MAX_QUEUED_BYTES = 16 * 1_048_576;
const DRAIN_MILLIS = 500;
const CLOSE_MILLIS = 500;

/** What the command line says goes before what the record says. */
function adjusted(run: RunRecord, { agent, minOverlap }: LearnOptions): RunRecord {
  return {
    ...run,
    agentId: boundedName(agent ?? run.agentId),
    ...(minOverlap !== undefined && { minOverlapMillis: minOverlap }),
  };
}
