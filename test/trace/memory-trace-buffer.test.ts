import { describe, expect, it } from 'vitest';
import { MemoryTraceBuffer } from '../../src/trace/memory-trace-buffer.ts';
import { resolveTraceBufferOptions } from '../../src/trace/trace-buffer.ts';
import { describeTraceBufferAccount } from './trace-buffer-account.ts';
import { describeTraceBuffer } from './trace-buffer-contract.ts';
import type { MakeTraceBuffer } from './trace-buffer-harness.ts';

const make: MakeTraceBuffer = (options, sink) => new MemoryTraceBuffer(options, sink);

describe('MemoryTraceBuffer', () => {
  describeTraceBuffer(make);
  describeTraceBufferAccount(make);
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
