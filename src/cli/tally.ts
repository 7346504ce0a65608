import type { RunRecord } from '../model/run-record.ts';
import type { Span } from '../model/span.ts';
import type { FileProblem } from '../source/files/input-file.ts';

/** A file, or a part of one, that could not be read. */
export interface Rejection {
  readonly file: string;
  /** Begins with the line or byte where one is at fault. */
  readonly reason: string;
}

/** Counts what `spanplan learn` finds in its input. */
export class Tally {
  files = 0;
  spans = 0;
  /** Spans that are of an agent, a workflow, a tool, a model, or a step of these. */
  recognised = 0;
  traces = 0;
  runs = 0;
  calls = 0;
  readonly rejected: Rejection[] = [];
  /** Spans by instrumentation scope. */
  readonly scopes = new Map<string, number>();
  /** Runs by agent. */
  readonly agents = new Map<string, number>();

  span(span: Span): void {
    this.spans++;
    const count = this.scopes.get(span.scopeName);
    if (count !== undefined || this.scopes.size < MAX_SCOPES)
      this.scopes.set(span.scopeName, (count ?? 0) + 1);
  }

  run(run: RunRecord): void {
    this.runs++;
    this.calls += run.calls.length;
    this.agents.set(run.agentId, (this.agents.get(run.agentId) ?? 0) + 1);
  }

  problem({ file, line, byte, reason }: FileProblem): void {
    const places = [line && `line ${line}`, byte !== undefined && `byte ${byte}`].filter(Boolean);
    this.rejected.push({ file, reason: [places.join(', '), reason].filter(Boolean).join(': ') });
  }
}

/** They are named to whoever wonders why nothing was found; more would not help. */
const MAX_SCOPES = 100;
