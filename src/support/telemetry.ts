import { type Histogram, type Meter, metrics, type ObservableResult } from '@opentelemetry/api';
import { tell } from './tell.ts';
import { kindOf } from './told-error.ts';

/** Why spans were dropped. The same words in metrics, logs and tests. */
export type DropReason =
  /** Came more than `lateMillis` after its trace's last span. */
  | 'late'
  /** Does not say when it began, so that nothing can be told of what ran beside it. */
  | 'unusable'
  /** Its run waited for a store longer than the write queue could hold it. */
  | 'queue_full'
  /** Its agent is one more than the store takes. */
  | 'agent_limit'
  /** Its run could not be written before the process ended. */
  | 'shutdown'
  /** A fault of ours, or of a user's convention, on this span. */
  | 'error';

/**
 * All instruments in one table: name, what it counts, unit, and the attribute that tells its series apart. Every one is
 * named `spanplan.*`; the metrics of a running process follow from the counts below, so the hot path adds plain numbers.
 */
const COUNTERS = {
  received: ['spanplan.spans.received', 'Spans taken in', '{span}', undefined],
  recognised: ['spanplan.spans.recognised', 'Spans recognised, by rule', '{span}', 'rule'],
  ignored: [
    'spanplan.spans.ignored',
    'Spans of finished traces that are no part of a run',
    '{span}',
    undefined,
  ],
  duplicate: [
    'spanplan.spans.duplicate',
    'Spans, or runs of spans, that had come before',
    '{span}',
    undefined,
  ],
  learned: ['spanplan.spans.learned', 'Spans whose run is in the store', '{span}', undefined],
  dropped: ['spanplan.spans.dropped', 'Spans dropped, by reason', '{span}', 'reason'],
  released: [
    'spanplan.traces.released',
    'Releases of traces from the buffer, by reason',
    '{trace}',
    'reason',
  ],
  runs: ['spanplan.runs.learned', 'Runs written for the first time', '{run}', undefined],
  amended: ['spanplan.runs.amended', 'Runs made again from late spans, or withdrawn', '{run}', undefined],
  groupsAdded: ['spanplan.groups.added', 'Groups added to plans', '{group}', undefined],
  groupsRemoved: ['spanplan.groups.removed', 'Groups taken out of plans, by cause', '{group}', 'cause'],
  cohortsDropped: ['spanplan.cohorts.dropped', 'Cohorts of runs too wide to keep', '{cohort}', undefined],
  writes: ['spanplan.store.writes', 'Writes that succeeded', '{write}', undefined],
  conflicts: [
    'spanplan.store.conflicts',
    'Writes tried again because another writer came first',
    '{write}',
    undefined,
  ],
  failures: ['spanplan.store.failures', 'Writes that failed, by code', '{write}', 'code'],
} as const satisfies Record<string, readonly [string, string, string, string | undefined]>;

const GAUGES = {
  bufferedTraces: ['spanplan.traces.buffered', 'Traces that are not finished', '{trace}'],
  keptTraces: ['spanplan.traces.kept', 'Finished traces kept for late spans', '{trace}'],
  bufferedSpans: ['spanplan.spans.buffered', 'Spans whose trace is not finished', '{span}'],
  bufferedBytes: ['spanplan.buffer.size', 'Estimated heap of the buffer', 'By'],
  awaiting: ['spanplan.spans.awaiting_write', 'Spans whose run waits to be written', '{span}'],
} as const satisfies Record<string, readonly [string, string, string]>;

const HISTOGRAMS = {
  writeMillis: ['spanplan.store.write.duration', 'How long writes took', 'ms'],
  lateMillis: ['spanplan.spans.late.age', 'How long after its trace was done a dropped span came', 'ms'],
} as const satisfies Record<string, readonly [string, string, string]>;

export type CounterName = keyof typeof COUNTERS;
export type GaugeName = keyof typeof GAUGES;
type HistogramName = keyof typeof HISTOGRAMS;

const MAX_SERIES = 256;

/** Counts what happens, and shows it to whatever MeterProvider the application has, also one registered later. */
export class Telemetry {
  /** What there is to count. */
  readonly counts: Readonly<Record<CounterName, Count>>;
  readonly #readGauges: () => Readonly<Record<GaugeName, number>>;
  #provider: unknown;
  #histograms: Partial<Record<HistogramName, Histogram>> = {};
  #detach: () => void = () => {};
  #hasFailed = false;

  constructor(readGauges: () => Readonly<Record<GaugeName, number>>) {
    this.#readGauges = readGauges;
    const names = Object.keys(COUNTERS) as CounterName[];
    this.counts = Object.fromEntries(names.map((name) => [name, new Count()])) as Record<CounterName, Count>;
    this.attach();
  }

  /** The sum over all series, or of one. */
  total(name: CounterName, series?: string): number {
    let sum = 0;
    for (const [key, count] of this.series(name)) if (series === undefined || series === key) sum += count;
    return sum;
  }

  /** All series of a counter. */
  series(name: CounterName): ReadonlyMap<string, number> {
    return this.counts[name].series;
  }

  record(name: HistogramName, value: number): void {
    this.#guard(() => this.#histograms[name]?.record(value));
  }

  /** Makes the instruments with the global MeterProvider, once for each that is registered. Cheap to call often. */
  attach(): void {
    const provider = metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#provider = provider;
    this.#guard(() => this.#detach());
    this.#guard(() => this.#instrument(provider.getMeter('spanplan')));
  }

  #instrument(meter: Meter): void {
    for (const name of Object.keys(HISTOGRAMS) as HistogramName[]) {
      const [metric, description, unit] = HISTOGRAMS[name];
      this.#histograms[name] = meter.createHistogram(metric, { description, unit });
    }
    const undo = [...this.#observeCounters(meter), ...this.#observeGauges(meter)];
    this.#detach = () => {
      for (const stop of undo) stop();
    };
  }

  /** Takes the instruments away again. */
  close(): void {
    this.#guard(() => this.#detach());
    this.#detach = () => {};
    this.#histograms = {};
  }

  /** The MeterProvider is the application's; metrics are not worth an error in its spans, or in a timer of ours. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      const name = kindOf(error);
      tell.warn(`spanplan: the MeterProvider caused an error (${name}); metrics may be missing`);
    }
  }

  *#observeCounters(meter: Meter): Iterable<() => void> {
    for (const name of Object.keys(COUNTERS) as CounterName[]) {
      const [metric, description, unit, attribute] = COUNTERS[name];
      const instrument = meter.createObservableCounter(metric, { description, unit });
      const observe = (result: ObservableResult) => {
        for (const [series, count] of this.series(name)) {
          result.observe(count, attribute === undefined ? {} : { [attribute]: series });
        }
      };
      instrument.addCallback(observe);
      yield () => instrument.removeCallback(observe);
    }
  }

  *#observeGauges(meter: Meter): Iterable<() => void> {
    for (const name of Object.keys(GAUGES) as GaugeName[]) {
      const [metric, description, unit] = GAUGES[name];
      const instrument = meter.createObservableGauge(metric, { description, unit });
      const observe = (result: ObservableResult) => result.observe(this.#readGauges()[name]);
      instrument.addCallback(observe);
      yield () => instrument.removeCallback(observe);
    }
  }
}

/** The counts of one counter. Spans are counted one by one, so counting costs an addition. */
class Count {
  #plain: number | undefined;
  readonly #bySeries = new Map<string, { count: number }>();
  /** The one that was counted last: spans that follow one another mostly fall under one rule. */
  #lastSeries: string | undefined;
  #last = { count: 0 };

  add(by = 1, series = ''): void {
    if (series === '') this.#plain = (this.#plain ?? 0) + by;
    else this.#of(series).count += by;
  }

  get series(): ReadonlyMap<string, number> {
    const series = new Map<string, number>();
    if (this.#plain !== undefined) series.set('', this.#plain);
    for (const [key, { count }] of this.#bySeries) series.set(key, count);
    return series;
  }

  #of(series: string): { count: number } {
    if (series === this.#lastSeries) return this.#last;
    this.#lastSeries = series;
    this.#last = this.#bySeries.get(series) ?? this.#add(series);
    return this.#last;
  }

  #add(series: string): { count: number } {
    // A user's convention may make up rules without end; a metric may not.
    const key = this.#bySeries.size < MAX_SERIES ? series : 'other';
    const made = this.#bySeries.get(key) ?? { count: 0 };
    this.#bySeries.set(key, made);
    return made;
  }
}
