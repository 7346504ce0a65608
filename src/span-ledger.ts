import type { Verdict } from './model/verdict.ts';
import type { AgentWrite, TraceLesson } from './run-changes.ts';
import type { ApplyOutcome, RunChange } from './store/plan-store.ts';
import type { WriteObserver, WriteOutcome } from './store/write-queue-options.ts';
import { type CounterName, type DropReason, Telemetry } from './support/telemetry.ts';
import { tell } from './support/tell.ts';
import { kindOf } from './support/told-error.ts';
import type { ReleasedTrace, TraceBufferStats } from './trace/trace-buffer.ts';

/**
 * Where every span is. At every moment
 * `received = buffered + awaiting + learned + ignored + duplicate + sum of dropped`.
 */
export interface SpanAccount {
  readonly received: number;
  /** In traces that are not finished. */
  readonly buffered: number;
  /** In finished traces whose runs are not written yet. */
  readonly awaiting: number;
  readonly learned: number;
  /** No part of any run. A span counts by what its trace's first release with it made of it. */
  readonly ignored: number;
  readonly duplicate: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

/** Keeps the account of spans and the counts of everything else that is told in metrics. */
export class SpanLedger implements WriteObserver<AgentWrite> {
  readonly #telemetry: Telemetry;
  readonly #counts: Telemetry['counts'];
  readonly #bufferStats: () => TraceBufferStats;
  /** When it was last told, by what it was about. */
  readonly #warned = new Map<string, number>();
  #awaiting = 0;

  constructor(bufferStats: () => TraceBufferStats) {
    this.#bufferStats = bufferStats;
    this.#telemetry = new Telemetry(() => {
      const { traces, keptTraces, spans, bytes } = bufferStats();
      return {
        bufferedTraces: traces,
        keptTraces,
        bufferedSpans: spans,
        bufferedBytes: bytes,
        awaiting: this.#awaiting,
      };
    });
    this.#counts = this.#telemetry.counts;
  }

  get account(): SpanAccount {
    const total = (name: CounterName) => this.#telemetry.total(name);
    return {
      received: total('received'),
      buffered: this.#bufferStats().spans,
      awaiting: this.#awaiting,
      learned: total('learned'),
      ignored: total('ignored'),
      duplicate: total('duplicate'),
      dropped: Object.fromEntries(this.#telemetry.series('dropped')),
    };
  }

  /** All counts of runs and groups, for summaries. */
  total(name: CounterName): number {
    return this.#telemetry.total(name);
  }

  received(): void {
    this.#counts.received.add();
  }

  /** Spans that cannot be learned from. */
  leftOut(spans: number): void {
    this.#counts.received.add(spans);
    this.#drop(spans, 'unusable');
  }

  recognised({ role, rule }: Verdict): void {
    if (role !== 'none') this.#counts.recognised.add(1, rule);
  }

  duplicate(): void {
    this.#counts.duplicate.add();
  }

  late(ageMillis: number): void {
    this.#drop(1, 'late');
    this.#telemetry.record('lateMillis', ageMillis);
  }

  released(trace: ReleasedTrace): void {
    this.#counts.released.add(1, trace.reason);
    this.#awaiting += trace.freshCount;
  }

  /** A released trace without any call. */
  releasedWithoutRun(trace: ReleasedTrace): void {
    this.#counts.released.add(1, trace.reason);
    this.#counts.ignored.add(trace.freshCount);
  }

  assembled(lesson: TraceLesson): void {
    this.#awaiting -= lesson.ignoredSpans + lesson.unchangedSpans;
    this.#counts.ignored.add(lesson.ignoredSpans);
    this.#counts.learned.add(lesson.unchangedSpans);
    if (lesson.cohortsDropped > 0) this.#counts.cohortsDropped.add(lesson.cohortsDropped);
    for (const { isNew } of lesson.writes) if (!isNew) this.#counts.amended.add();
  }

  /** A fault of ours on a span just received. */
  spanFailed(error: unknown): void {
    this.#drop(1, 'error');
    this.#warnOfFault(error);
  }

  /** The same on a span that is still open, and is counted when it ends. */
  snapshotFailed(error: unknown): void {
    this.#warnOfFault(error);
  }

  /** A fault of ours on a released trace. */
  traceFailed(trace: ReleasedTrace, error: unknown): void {
    this.#awaiting -= trace.freshCount;
    this.#drop(trace.freshCount, 'error');
    this.#warnOfFault(error);
  }

  /** A released trace for which there was no time left. */
  traceLost(trace: ReleasedTrace): void {
    this.#awaiting -= trace.freshCount;
    this.#drop(trace.freshCount, 'shutdown');
  }

  #warnOfFault(error: unknown): void {
    const name = kindOf(error);
    this.#warnOnce(`error:${name}`, `spanplan: a span could not be learned from (${name})`);
  }

  /** A fault outside of any span: of the clock, say. */
  tickFailed(error: unknown): void {
    const name = kindOf(error);
    this.#warnOnce(`tick:${name}`, `spanplan: traces could not be looked at in time (${name})`);
  }

  ruleFailed(rule: string): void {
    this.#warnOnce(
      `rule:${rule}`,
      `spanplan: the rule ${JSON.stringify(rule)} threw; its spans go on without it`,
    );
  }

  settled(_: RunChange, outcome: WriteOutcome, { spans, isNew }: AgentWrite): void {
    this.#awaiting -= spans;
    if (outcome === 'learned') {
      this.#counts.learned.add(spans);
      if (isNew) this.#counts.runs.add();
    } else if (outcome === 'duplicate') this.#counts.duplicate.add(spans);
    else this.#drop(spans, outcome.dropped);
  }

  wrote(agentId: string, outcome: ApplyOutcome, millis: number): void {
    this.#counts.writes.add();
    this.#counts.conflicts.add(outcome.conflicts);
    this.#counts.groupsAdded.add(outcome.groupsAdded);
    this.#counts.groupsRemoved.add(outcome.groupsRemoved, 'unsupported');
    this.#counts.groupsRemoved.add(outcome.groupsCompacted, 'implied');
    this.#counts.groupsRemoved.add(outcome.groupsEvicted, 'least_supported');
    this.#telemetry.record('writeMillis', millis);
    if (outcome.groupsEvicted > 0) {
      const name = JSON.stringify(agentId);
      this.#warnOnce(
        `evicted:${agentId}`,
        `spanplan: the plan of agent ${name} is full; its least supported groups go (maxGroups)`,
      );
    }
  }

  failed(_agentId: string, code: string): void {
    this.#counts.failures.add(1, code);
  }

  /** Shows the counts to a MeterProvider that was registered since. */
  attach(): void {
    this.#telemetry.attach();
  }

  close(): void {
    this.#telemetry.close();
  }

  #drop(spans: number, reason: DropReason): void {
    this.#counts.dropped.add(spans, reason);
  }

  #warnOnce(episode: string, message: string): void {
    const now = performance.now();
    const last = this.#warned.get(episode);
    if (last !== undefined && now - last < EPISODE_MILLIS) return;
    if (last === undefined && this.#warned.size >= MAX_EPISODES) return;
    this.#warned.set(episode, now);
    tell.warn(message);
  }
}

/** What is still so after this long is told again. */
const EPISODE_MILLIS = 600_000;
const MAX_EPISODES = 1_000;
