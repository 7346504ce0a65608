import type { ExecutionPlan } from '../model/execution-plan.ts';
import type { GroupSupport } from '../store/plan-store.ts';
import type { Output } from './output.ts';
import { formatPlan } from './plan-table.ts';
import { printable } from './printable.ts';
import { DEFAULT_STORE_URL, shownUrl } from './store-url.ts';
import type { Tally } from './tally.ts';
import { counted, formatNumber, listed } from './wording.ts';

/** An agent of the input that has a plan, as it now stands in the store. */
export interface LearnedPlan {
  readonly plan: ExecutionPlan;
  readonly support: readonly GroupSupport[];
}

/** The contract of `spanplan learn --json`. */
export function learnJson(tally: Tally, plans: ReadonlyMap<string, LearnedPlan>): Record<string, unknown> {
  const { files, spans, traces, runs, calls, rejected } = tally;
  return {
    summary: { files, spans, traces, runs, calls, rejected },
    plans: Object.fromEntries([...plans].map(([agentId, { plan }]) => [agentId, plan])),
  };
}

/** The same for reading: what was in the input, then the plans. */
export function writeLearned(
  out: Output,
  tally: Tally,
  known: number,
  plans: ReadonlyMap<string, LearnedPlan>,
): void {
  out.line(summaryOf(tally, known, out));
  for (const [agentId, { plan, support }] of plans) {
    out.line();
    for (const line of formatPlan(agentId, plan, support, out)) out.line(line);
  }
}

function summaryOf({ files, spans, traces, runs, calls }: Tally, known: number, out: Output): string {
  const found = `${counted(runs, 'run')} with ${counted(calls, 'call')}`;
  const made = spans > 0 ? `${counted(spans, 'span')} in ${counted(traces, 'trace')} make ${found}` : found;
  const again =
    known > 0 ? ` ${known >= runs ? 'All' : formatNumber(known)} of them were known already.` : '';
  return `${out.style.bold(`Read ${counted(files, 'file')}.`)} ${made}.${again}`;
}

/** Why there is less to see than one may have hoped, and what to do. */
export function hintsOf(
  tally: Tally,
  plans: ReadonlyMap<string, LearnedPlan>,
  input: 'spans' | 'runs',
): readonly string[] {
  const planless = [...tally.agents.keys()].filter((agentId) => !plans.has(agentId));
  if (planless.length > 0) {
    return [`No two tools were seen running at the same time in the runs of ${listed(planless)}.`];
  }
  if (tally.runs > 0) return [];
  if (input === 'runs') return ['There are no runs in the input.'];
  if (tally.spans === 0) return ['There are no spans in the input.'];
  return [tally.recognised === 0 ? nothingRecognised(tally) : nothingCalled(tally)];
}

function nothingRecognised({ spans, scopes }: Tally): string {
  const byCount = [...scopes].sort((a, b) => b[1] - a[1]);
  const named = byCount.map(([scope, count]) => `${scope === '' ? '(unnamed)' : scope} (${count})`);
  return (
    `Saw ${counted(spans, 'span')} and recognised none as the work of an agent, a tool or a model. ` +
    `Instrumentation scopes seen: ${listed(named)}. ` +
    "Switch on the agent framework's own telemetry, or an instrumentation of it, and look at each span's verdict with --explain."
  );
}

function nothingCalled({ spans, recognised }: Tally): string {
  return (
    `Recognised ${counted(recognised, 'span')} of ${spans}, but none that calls a tool or a model. ` +
    "Look at each span's verdict with --explain."
  );
}

/** Where the plans are and how to look at them; nothing where they end with this process. */
export function whereKept(url: string, agentId: string): readonly string[] {
  if (/^memory:/i.test(url)) return [];
  const option = url === DEFAULT_STORE_URL ? '' : ` --store ${printable(shownUrl(url))}`;
  const command = `spanplan runs ${shellWord(agentId)}${option}`;
  return [`Kept in ${printable(shownUrl(url))}; to see the runs behind it: ${command}`];
}

function shellWord(text: string): string {
  const safe = printable(text);
  return /^[\w.@/:-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`;
}
