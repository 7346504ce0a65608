import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agent, other, type SpanSpec, tool } from '../support/spans.ts';
import { type MakeTraceBuffer, readAll, TraceBufferHarness } from './trace-buffer-harness.ts';

/** What was done to the buffer, as the commands need to know it. */
interface Model {
  readonly open: Map<string, Set<string>>;
  readonly readsLater: boolean;
}

type Command = fc.Command<Model, TraceBufferHarness>;

const LIMITS = {
  maxSpansPerTrace: 5,
  maxBufferedTraces: 4,
  maxBufferedBytes: 12_000,
  lateMillis: 20_000,
  maxTraceAgeMillis: 60_000,
  idleMillis: 15_000,
} as const;

/** What a release says of its spans is what was so when it was released, whenever it is read, and whatever comes then. */
export function describeLateReading(make: MakeTraceBuffer): void {
  it.each(['wire', 'process'] as const)('tells of a released trace as it was, however late (%s)', (mode) => {
    fc.assert(
      fc.property(commandsOf(mode), (commands) => {
        const [atOnce, later] = [false, true].map((readsLater) => {
          const real = new TraceBufferHarness(make, { ...LIMITS, mode }, readsLater);
          fc.modelRun(() => ({ model: { open: new Map(), readsLater }, real }), commands);
          return real.released.map(readAll);
        });
        expect(later).toEqual(atOnce);
      }),
      { numRuns: 300 },
    );
  });
}

/** At every moment received = waiting + released + duplicate + late, within the bounds, whatever happens. */
export function describeTraceBufferAccount(make: MakeTraceBuffer): void {
  it.each(['wire', 'process'] as const)('accounts for every span at every moment (%s)', (mode) => {
    fc.assert(
      fc.property(commandsOf(mode), (commands) => {
        const real = new TraceBufferHarness(make, { ...LIMITS, mode });
        fc.modelRun(() => ({ model: { open: new Map(), readsLater: false }, real }), commands);
      }),
      { numRuns: 300 },
    );
  });
}

function commandsOf(mode: 'wire' | 'process'): fc.Arbitrary<Iterable<Command>> {
  const trace = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const id = fc.integer({ min: 0, max: 11 }).map((n) => `s${n}`);
  const parent = fc.constantFrom(undefined, 's0', 's1', 'gone');
  const make = fc.constantFrom(agent, tool, other);
  // Over the wire the end of a span may come after the span.
  const to = mode === 'wire' ? fc.constantFrom(undefined, 10, 20) : fc.constant(10);
  const add = fc.tuple(make, trace, id, parent, to).map((given) => new Add(...given));
  const start = fc.tuple(trace, id).map((given) => new Start(...given));
  // Spans are many where traces reach their limits.
  const commands = [
    ...Array.from({ length: 8 }, () => add),
    fc.constantFrom(100, 2_000, 10_000, 21_000, 60_000).map((millis) => new Pass(millis)),
    fc.constant(new Call('flush')),
    fc.constant(new Call('shutdown')),
  ];
  const ofProcess = [
    ...Array.from({ length: 3 }, () => start),
    fc.tuple(trace, id).map((given) => new Abandon(...given)),
  ];
  const all = mode === 'wire' ? commands : [...commands, ...ofProcess];
  return fc.commands(all, { maxCommands: 60 });
}

abstract class Checked implements Command {
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  run(model: Model, real: TraceBufferHarness): void {
    const before = real.released.length;
    this.act(model, real);
    const { traces, keptTraces, spans, bytes } = real.stats;
    expect(real.accounted).toBe(real.received);
    expect(spans).toBeGreaterThanOrEqual(0);
    expect(keptTraces).toBeGreaterThanOrEqual(0);
    expect(traces).toBeGreaterThanOrEqual(0);
    expect(traces + keptTraces).toBeLessThanOrEqual(LIMITS.maxBufferedTraces);
    expect(bytes).toBeLessThanOrEqual(LIMITS.maxBufferedBytes);
    expect(bytes > 0).toBe(traces + keptTraces > 0);
    if (model.readsLater) return;
    for (const { fresh, spans: all } of real.released.slice(before)) {
      expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
      expect(all).toEqual(expect.arrayContaining([...fresh]));
    }
  }

  abstract act(model: Model, real: TraceBufferHarness): void;
}

class Add extends Checked {
  readonly #spec: SpanSpec;

  constructor(
    make: typeof tool,
    trace: string,
    id: string,
    parent: string | undefined,
    to: number | undefined,
  ) {
    super();
    this.#spec = make(id, { trace, parent, to });
  }

  override act(model: Model, real: TraceBufferHarness): void {
    const { id, trace = '' } = this.#spec;
    model.open.get(trace)?.delete(id);
    real.add(this.#spec);
  }

  override toString(): string {
    return `add(${JSON.stringify(this.#spec)})`;
  }
}

class Start extends Checked {
  readonly #trace: string;
  readonly #id: string;

  constructor(trace: string, id: string) {
    super();
    this.#trace = trace;
    this.#id = id;
  }

  override check(model: Readonly<Model>): boolean {
    return model.open.get(this.#trace)?.has(this.#id) !== true;
  }

  override act(model: Model, real: TraceBufferHarness): void {
    model.open.set(this.#trace, (model.open.get(this.#trace) ?? new Set()).add(this.#id));
    real.start(tool(this.#id, { trace: this.#trace }));
  }

  override toString(): string {
    return `start(${this.#trace},${this.#id})`;
  }
}

class Abandon extends Checked {
  readonly #trace: string;
  readonly #id: string;

  constructor(trace: string, id: string) {
    super();
    this.#trace = trace;
    this.#id = id;
  }

  override act(model: Model, real: TraceBufferHarness): void {
    model.open.get(this.#trace)?.delete(this.#id);
    real.abandon(tool(this.#id, { trace: this.#trace }));
  }

  override toString(): string {
    return `abandon(${this.#trace},${this.#id})`;
  }
}

class Pass extends Checked {
  readonly #millis: number;

  constructor(millis: number) {
    super();
    this.#millis = millis;
  }

  override act(_model: Model, real: TraceBufferHarness): void {
    real.tick(real.now + this.#millis);
  }

  override toString(): string {
    return `pass(${this.#millis})`;
  }
}

class Call extends Checked {
  readonly #what: 'flush' | 'shutdown';

  constructor(what: 'flush' | 'shutdown') {
    super();
    this.#what = what;
  }

  override act(_model: Model, real: TraceBufferHarness): void {
    real[this.#what]();
  }

  override toString(): string {
    return this.#what;
  }
}
