import { writeFile } from 'node:fs/promises';
import { Pipeline } from 'spanplan';
import type { Span } from '../src/model/span.ts';
import { NoOpStore } from './no-op-store.ts';
import { plotOf, type Series } from './plot.ts';
import { machine, writeSection } from './results.ts';

/**
 * `npm run bench:scale`: what a span costs where there is much of everything. Writes a table and a plot into
 * bench/RESULTS.md.
 */
interface Scale {
  readonly name: string;
  readonly sizes: readonly number[];
  /** The CPU time of a span at this size, in nanoseconds. */
  measure(size: number): Promise<number>;
}

const RESOURCE = { identity: 'bench', serviceName: 'bench' };
/** So many spans are measured at each size, at least. */
const SPANS = 100_000;
/** Spans are made in portions, so that making them neither counts nor fills the heap. */
const PORTION = 2_000;
const ROUNDS = 5;
const AT_A_TIME = 5;

const ROOMY = {
  clock: undefined,
  maxBufferedTraces: 1e7,
  maxBufferedBytes: 1e12,
  maxSpansPerTrace: 1e6,
  maxQueuedRuns: 1e6,
  maxQueuedBytes: 1e12,
} as const;

const SCALES: readonly Scale[] = [
  { name: 'traces in the buffer', sizes: [1e3, 1e4, 1e5, 1e6], measure: buffered },
  { name: 'spans of a trace', sizes: [10, 100, 1e3, 1e4, 1e5], measure: tracesOf },
  { name: 'agents', sizes: [1, 10, 100, 1e3, 1e4], measure: agentsOf },
];

const lines: Series[] = [];
for (const { name, sizes, measure } of SCALES) {
  const points: [number, number][] = [];
  // The least of it, with which the others are compared, must not pay for the compiler's work.
  for (let warmUp = 0; warmUp < ROUNDS; warmUp++) await measure(sizes[0] ?? 1);
  for (const size of sizes) {
    const costs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) costs.push(await measure(size));
    costs.sort((a, b) => a - b);
    points.push([size, costs[costs.length >> 1] ?? Number.NaN]);
    console.log(
      `${name.padEnd(22)} ${String(size).padStart(8)} ${Math.round(points.at(-1)?.[1] ?? 0)} ns a span`,
    );
  }
  lines.push({ name, points });
}
await writeFile('bench/scale.svg', plotOf(lines));
await writeSection('scale', tableOf(lines));
process.exit(0);

/** Further spans for each of many traces that wait already, several at a time, as the exporters of agents send them. */
async function buffered(size: number): Promise<number> {
  const pipeline = new Pipeline(new NoOpStore(), ROOMY);
  for (let trace = 0; trace < size; trace += PORTION)
    pipeline.consume(portion((n) => [(trace + n) % size, n, 1]));
  let nanos = 0;
  for (let done = 0; done < SPANS; done += PORTION) {
    // A stride that meets every trace, far from the one before.
    const spans = portion((n) => [(Math.floor((done + n) / AT_A_TIME) * 7_919) % size, done + n, 2]);
    nanos += cpuNanos(() => pipeline.consume(spans));
  }
  return nanos / SPANS;
}

/** Traces of so many calls, through to the finished run. */
async function tracesOf(size: number): Promise<number> {
  const pipeline = new Pipeline(new NoOpStore(), ROOMY);
  const count = Math.max(SPANS, size);
  let nanos = 0;
  for (let done = 0; done < count; done += PORTION) {
    const spans = portion((n) => [Math.floor((done + n) / size), (done + n) % size, 3]);
    nanos += cpuNanos(() => pipeline.consume(spans));
    if (size <= PORTION) nanos += await cpuNanosOf(() => pipeline.flush(60_000));
  }
  nanos += await cpuNanosOf(() => pipeline.shutdown(60_000));
  return nanos / count;
}

/** Traces of ten calls, each of another agent. */
async function agentsOf(size: number): Promise<number> {
  const pipeline = new Pipeline(new NoOpStore(), ROOMY);
  let nanos = 0;
  for (let done = 0; done < SPANS; done += PORTION) {
    const spans = portion((n) => [Math.floor((done + n) / 10), (done + n) % 10, 3], size);
    nanos += cpuNanos(() => pipeline.consume(spans));
    nanos += await cpuNanosOf(() => pipeline.flush(60_000));
  }
  return nanos / SPANS;
}

function portion(
  placeOf: (n: number) => readonly [trace: number, span: number, kind: number],
  agents = 1,
): Span[] {
  return Array.from({ length: PORTION }, (_, n) => {
    const [trace, span, kind] = placeOf(n);
    return spanOf(trace, span, kind, agents);
  });
}

/** The first span of a trace is its agent, the others are calls that follow one another. */
function spanOf(trace: number, span: number, kind: number, agents: number): Span {
  const isAgent = kind === 3 && span === 0;
  const start = [1_700_000_000 + span, 0] as const;
  return {
    traceId: trace.toString(16).padStart(32, 'a'),
    spanId: (span * 8 + kind).toString(16).padStart(16, 'b'),
    parentSpanId: isAgent ? undefined : (3).toString(16).padStart(16, 'b'),
    parentIsRemote: false,
    name: isAgent ? 'invoke_agent' : 'execute_tool',
    kind: 1,
    start,
    end: isAgent ? [1_800_000_000, 0] : [start[0], 500_000_000],
    isError: false,
    scopeName: 'bench',
    resource: RESOURCE,
    attributes: isAgent
      ? { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': `agent ${trace % agents}` }
      : { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': `tool ${span % 7}` },
  };
}

function cpuNanos(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

async function cpuNanosOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

function tableOf(series: readonly Series[]): string {
  const rows = series.flatMap(({ name, points }) =>
    points.map(([size, nanos], index) => {
      const first = points[0]?.[1] ?? Number.NaN;
      const growth = index === 0 ? '' : `${(nanos / first).toFixed(2)}x`;
      return `| ${index === 0 ? name : ''} | ${size.toLocaleString('en')} | ${growth} |`;
    }),
  );
  return `The cost of a span, in CPU time, where there is more of everything; beside the least of it. It may grow to 1.5x. Made
by \`npm run bench:scale\` on ${machine()}.

| more | how many | cost of a span |
|---|---|---|
${rows.join('\n')}

![The cost of a span against the number of traces, of spans of a trace, and of agents](scale.svg)`;
}
