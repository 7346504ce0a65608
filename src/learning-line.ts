import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ReleasedTrace } from './trace/trace-buffer.ts';

/** What tells whether the store keeps up. */
export interface Backlog {
  readonly isBehind: boolean;
  /** Whether it is near its bounds, with so many changes that wait outside of it. */
  isFull(outside?: number): boolean;
}

/**
 * Finished traces on their way to the learner: a few of each batch of spans at once, while all is at hand, and the rest
 * in slices on the event loop, so that the application's own work goes on; not faster than the store takes it.
 */
export class LearningLine {
  readonly #learn: (trace: ReleasedTrace) => void;
  readonly #backlog: Backlog;
  readonly #holds: boolean;
  readonly #traces: ReleasedTrace[] = [];
  /** Of all these. */
  #spans = 0;
  /** How many more are learned as soon as they are finished. */
  #atOnce = 0;
  #isScheduled = false;

  /**
   * @param learn must not throw.
   * @param holds whether traces wait however many they are, since their source takes no more spans while `isFull`.
   */
  constructor(learn: (trace: ReleasedTrace) => void, backlog: Backlog, holds: boolean) {
    this.#learn = learn;
    this.#backlog = backlog;
    this.#holds = holds;
  }

  /** A batch of spans follows. */
  beginBatch(): void {
    this.#atOnce = BATCH_TRACES;
  }

  /** @param waits whether it is not to be learned now, since all will be. */
  push(trace: ReleasedTrace, waits: boolean): void {
    this.#traces.push(trace);
    this.#spans += trace.spanCount;
    if (waits) return;
    // A burst may finish traces faster than the loop turns; they are not to pile up.
    if (this.#isCrowded) this.#learnSome(BATCH_TRACES);
    else if (this.#atOnce > 0 && !this.#isBehind) this.#learnSome(1);
    this.#atOnce -= Math.max(1, (trace.spanCount * BATCH_TRACES) / BATCH_SPANS);
    if (this.#traces.length > 0) this.#learnSoon();
  }

  /**
   * Learns all that wait, as far as there is time, which is given as `performance.now()` gives it; some of them, which
   * takes about a millisecond, also where it has passed.
   */
  async drain(deadline: number): Promise<void> {
    while (this.#traces.length > 0) {
      if (!this.#isBehind) this.#learnSome(BATCH_TRACES);
      if (performance.now() >= deadline) {
        this.#learnSoon();
        return;
      }
      await (this.#isBehind ? sleep(CATCH_UP_MILLIS) : nextTurn());
    }
  }

  /** Takes out those that are not learned. */
  takeRest(): readonly ReleasedTrace[] {
    this.#spans = 0;
    return this.#traces.splice(0);
  }

  /**
   * Whether what comes now may push out what waits. How many traces wait says little: where much is due at once, after a
   * pause of the machine say, thousands do, and are learned in a moment. But each makes a run that waits for the store.
   */
  get isFull(): boolean {
    return this.#spans > MAX_SPANS / 2 || this.#backlog.isFull(this.#traces.length);
  }

  get #isBehind(): boolean {
    return this.#backlog.isBehind || (this.#holds && this.#backlog.isFull());
  }

  /** Whether so many wait that they can wait no longer. */
  get #isCrowded(): boolean {
    return !this.#holds && (this.#traces.length > MAX_TRACES || this.#spans > MAX_SPANS);
  }

  #learnSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const learn = () => {
      this.#isScheduled = false;
      if (!this.#isBehind || this.#isCrowded) this.#learnSome(BATCH_TRACES);
      if (this.#traces.length > 0) this.#learnSoon();
    };
    if (!this.#isBehind) setImmediate(learn).unref();
    else setTimeout(learn, this.#backlog.isFull() ? FULL_MILLIS : CATCH_UP_MILLIS).unref();
  }

  /** Learns the oldest; fewer than `atMost` where they are large, or a trace of many runs fills the queue. */
  #learnSome(atMost: number): void {
    let spans = 0;
    for (let learned = 0; learned < atMost && spans < BATCH_SPANS; learned++) {
      const trace = this.#traces.shift();
      if (trace === undefined) return;
      const { spanCount } = trace;
      spans += spanCount;
      this.#spans -= spanCount;
      this.#learn(trace);
      if (this.#isBehind && !this.#isCrowded) return;
    }
  }
}

/** So many traces are learned in one turn of the event loop, or such as have so many spans. */
const BATCH_TRACES = 32;
const BATCH_SPANS = 4_000;
/** How soon to look again whether the store has caught up. */
const CATCH_UP_MILLIS = 5;
/** The same where it may be away for long. */
const FULL_MILLIS = 100;
/** Where more wait some are learned for each that comes, whatever the store does. So many spans take some 70 MB. */
const MAX_TRACES = 2_000;
const MAX_SPANS = 200_000;
