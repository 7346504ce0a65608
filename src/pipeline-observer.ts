import type { Span } from './model/span.ts';
import type { Verdict } from './model/verdict.ts';
import type { AssembledRun } from './trace/assemble-runs.ts';
import type { ReleasedTrace } from './trace/trace-buffer.ts';

/**
 * Is shown what spans and traces are taken for, so that it can be explained, and reads open ones. Must not throw and not
 * keep attributes.
 */
export interface PipelineObserver {
  /** A span was received; in its trace the verdict may come to mean less. */
  recognised?(span: Span, verdict: Verdict): void;
  /** A trace is finished, and these are the runs in it. */
  assembled?(trace: ReleasedTrace, runs: readonly AssembledRun[]): void;
  /** In process: reads a span that is open, by the handle it was started with; undefined where it cannot be read. */
  readOpen?(handle: object): Span | undefined;
}
