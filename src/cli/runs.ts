import { formatRunRecord } from '../model/run-record-json.ts';
import { assertKnown } from './known-agents.ts';
import type { Outputs } from './output.ts';
import { printable, printableJson } from './printable.ts';
import { formatTimeline } from './timeline.ts';
import { type StoreChoice, withExistingStore } from './with-store.ts';

export interface RunsOptions extends StoreChoice {
  readonly json?: boolean;
  /** Newest runs to show; all where absent. */
  readonly last?: number;
}

/**
 * `spanplan runs <agent>`: a timeline of each run that is kept, oldest first.
 * @throws CliError where the agent is unknown, or the store fails.
 */
export function showRuns(agentId: string, options: RunsOptions, { out }: Outputs): Promise<void> {
  return withExistingStore(options, async (store) => {
    const runs = await store.runs(agentId, options.last);
    if (runs.length === 0) await assertKnown(store, agentId, options.store);
    if (options.json) {
      out.line(printableJson(runs.map(formatRunRecord)));
      return;
    }
    if (runs.length === 0) {
      out.line(
        `${printable(agentId)} has a plan, but no runs are kept: they have expired, or another runtime wrote it.`,
      );
    }
    for (const [at, run] of runs.entries()) {
      if (at > 0) out.line();
      for (const line of formatTimeline(run, out.style)) out.line(line);
      await out.drained();
    }
  });
}
