import { compareUtf8 } from '../model/utf8.ts';
import type { PlanStore, StoreError } from '../store/plan-store.ts';
import { CliError } from './cli-error.ts';
import { Explainer } from './explainer.ts';
import type { LearnOptions } from './learn-options.ts';
import { hintsOf, type LearnedPlan, learnJson, whereKept, writeLearned } from './learn-report.ts';
import { LibraryWarnings } from './library-warnings.ts';
import type { Outputs } from './output.ts';
import { printable, printableJson } from './printable.ts';
import { Progress } from './progress.ts';
import { RunIntake } from './run-intake.ts';
import { SpanIntake } from './span-intake.ts';
import { storeFailure } from './store-failure.ts';
import { Tally } from './tally.ts';
import { withStore } from './with-store.ts';
import { formatNumber } from './wording.ts';
import { WriteWatch } from './write-watch.ts';

/**
 * `spanplan learn`: files → spans or runs → plans in the store → what was learned.
 * @param stdin is read where a file is called `-`.
 * @returns the exit status: 1 where a part of the input could not be learned.
 * @throws CliError where the store fails.
 */
export async function learn(
  files: readonly string[],
  options: LearnOptions,
  outputs: Outputs,
  stdin: AsyncIterable<Uint8Array>,
): Promise<number> {
  if (files.filter((file) => file === '-').length > 1) {
    throw new CliError('Standard input (-) can be read only once.', 2);
  }
  const warnings = new LibraryWarnings();
  const { maxGroups } = options;
  const learnInto = async (store: PlanStore) => {
    // A store that cannot be used is found out before the input is read.
    await store.runs('unknown', 1);
    const watch = new WriteWatch(store);
    const tally = new Tally();
    await readAll(files, stdin, watch, tally, options, outputs);
    const { plans, failures } = await plansOf(store, tally.agents.keys(), watch);
    report(tally, watch.known, plans, options, outputs);
    const { err } = outputs;
    for (const { file, reason } of tally.rejected) {
      err.line(`${err.style.red('not learned')}  ${printable(`${file}: ${reason}`)}`);
    }
    for (const failure of failures) {
      err.line(`${err.style.red('not learned')}  ${storeFailure(failure, options.store)}`);
    }
    for (const text of warnings.texts) err.line(`${err.style.yellow('warning')}  ${printable(text)}`);
    return tally.rejected.length + failures.length > 0 ? 1 : 0;
  };
  return withStore(options, learnInto, maxGroups === undefined ? {} : { maxGroups });
}

async function readAll(
  files: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
  watch: WriteWatch,
  tally: Tally,
  options: LearnOptions,
  { out, err }: Outputs,
): Promise<void> {
  const progress = new Progress(err);
  const explainer = options.explain ? new Explainer(options.json ? err : out) : undefined;
  const showProgress = () => {
    // What is explained is progress enough, and would run into the line.
    if (explainer === undefined) progress.show(() => progressOf(tally, files.length));
  };
  const intake =
    options.input === 'runs'
      ? new RunIntake(watch, tally, options, showProgress)
      : new SpanIntake(watch, tally, options, explainer, showProgress);
  try {
    for (const file of files) {
      tally.files++;
      showProgress();
      await intake.read(file === '-' ? stdin : file);
    }
    await intake.finish();
  } finally {
    progress.clear();
  }
}

function progressOf({ files, spans, runs }: Tally, allFiles: number): string {
  return `file ${formatNumber(files)} of ${formatNumber(allFiles)}, ${formatNumber(spans)} spans, ${formatNumber(runs)} runs`;
}

/** The plans of the agents that were in the input, and why others could not be learned or read. */
async function plansOf(
  store: PlanStore,
  agents: Iterable<string>,
  { refused }: WriteWatch,
): Promise<{ readonly plans: ReadonlyMap<string, LearnedPlan>; readonly failures: readonly StoreError[] }> {
  const plans = new Map<string, LearnedPlan>();
  for (const agentId of [...agents].sort(compareUtf8)) {
    if (refused.has(agentId)) continue;
    const stored = await store.load(agentId);
    if (stored !== undefined)
      plans.set(agentId, { plan: stored.plan, support: await store.support(agentId) });
  }
  return { plans, failures: [...refused.values()] };
}

function report(
  tally: Tally,
  known: number,
  plans: ReadonlyMap<string, LearnedPlan>,
  options: LearnOptions,
  { out, err }: Outputs,
): void {
  const hints = hintsOf(tally, plans, options.input);
  if (options.json) {
    out.line(printableJson(learnJson(tally, plans)));
    for (const hint of hints) err.line(hint);
    return;
  }
  writeLearned(out, tally, known, plans);
  const [agent] = plans.keys();
  const notes: readonly string[] = [
    ...hints,
    ...(agent === undefined ? [] : whereKept(options.store, agent)),
  ];
  if (notes.length > 0) out.line();
  for (const note of notes) out.line(note);
}
