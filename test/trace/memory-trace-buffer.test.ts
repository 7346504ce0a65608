import { describe, expect, it } from 'vitest';
import { MemoryTraceBuffer } from '../../src/trace/memory-trace-buffer.ts';
import { type ReleasedTrace, resolveTraceBufferOptions } from '../../src/trace/trace-buffer.ts';
import { idOf, other, recordOf, traceIdOf } from '../support/spans.ts';
import { describeLateReading, describeTraceBufferAccount } from './trace-buffer-account.ts';
import { describeTraceBuffer } from './trace-buffer-contract.ts';
import type { MakeTraceBuffer } from './trace-buffer-harness.ts';

const make: MakeTraceBuffer = (options, sink) => new MemoryTraceBuffer(options, sink);

describe('MemoryTraceBuffer', () => {
  describeTraceBuffer(make);
  describeTraceBufferAccount(make);
  describeLateReading(make);
});

it('reads spans of a trace without a call only while it is held, and gives their places to others then', () => {
  const released: ReleasedTrace[] = [];
  const buffer = new MemoryTraceBuffer(resolveTraceBufferOptions({}), {
    released: (trace) => released.push(trace),
    late: () => {},
    duplicate: () => {},
    snapshot: () => undefined,
  });
  for (const trace of ['one', 'two']) buffer.add(traceIdOf(trace), recordOf(other('root')), 0);
  buffer.flush(0);
  expect(released[0]?.spans).toEqual([recordOf(other('root'))]);
  buffer.tick(3_600_000);
  expect(() => released[1]?.spans).toThrow('gone');
});

it('keeps nothing of spans whose ids are none', () => {
  const buffer = new MemoryTraceBuffer(
    resolveTraceBufferOptions({ mode: 'process', maxBufferedTraces: 10 }),
    {
      released: () => {},
      late: () => {},
      duplicate: () => {},
      snapshot: () => undefined,
    },
  );
  for (let trace = 0; trace < 100; trace++) {
    expect(() => buffer.start(traceIdOf(`t${trace}`), 'none', {}, trace)).toThrow(RangeError);
  }
  expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
  const small = new MemoryTraceBuffer(resolveTraceBufferOptions({ mode: 'process', maxSpansPerTrace: 1 }), {
    released: () => {},
    late: () => {},
    duplicate: () => duplicates++,
    snapshot: () => undefined,
  });
  let duplicates = 0;
  small.add(traceIdOf('t'), recordOf(other('root')), 0);
  expect(() => small.start(traceIdOf('t'), 'none', {}, 0)).toThrow(RangeError);
  small.add(traceIdOf('t'), recordOf(other('root')), 0);
  expect(duplicates).toBe(1);
  buffer.start(traceIdOf('t0'), idOf('root'), {}, 100);
  expect(() => buffer.start(traceIdOf('t0'), 'none', {}, 100)).toThrow(RangeError);
  expect(buffer.stats.traces).toBe(1);
});

describe('resolveTraceBufferOptions', () => {
  it.each([
    ['rootQuietMillis', 0],
    ['idleMillis', -1],
    ['maxBufferedBytes', Number.NaN],
    ['maxSpansPerTrace', Number.POSITIVE_INFINITY],
  ])('refuses %s of %d', (name, value) => {
    expect(() => resolveTraceBufferOptions({ [name]: value })).toThrow(name);
  });

  it('refuses a root that waits longer than a trace without one', () => {
    expect(() => resolveTraceBufferOptions({ rootQuietMillis: 5_000, idleMillis: 4_000 })).toThrow(
      'idleMillis',
    );
  });
});
