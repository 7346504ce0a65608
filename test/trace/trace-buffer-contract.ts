import { describe, expect, it } from 'vitest';
import { agent, other, recordOf, step, tool, traceIdOf } from '../support/spans.ts';
import { idsOf, type MakeTraceBuffer, TraceBufferHarness } from './trace-buffer-harness.ts';

const HOUR = 3_600_000;
const MADE = { runId: 'run', agentId: 'planner', fingerprint: 1 };
const labelOf = (traceId: string) => Buffer.from(traceId, 'hex').toString().replaceAll('\0', '');

/** What every TraceBuffer owes, in one process or shared by several. */
export function describeTraceBuffer(make: MakeTraceBuffer): void {
  describe('over the wire', () => {
    it('releases a trace with its root and all parents after rootQuietMillis without a span', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(tool('search', { parent: 'root' }));
      buffer.add(agent('root'));
      buffer.tick(1_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(2_000);
      expect(buffer.reasons).toEqual(['root_quiet']);
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
    });

    it('counts quiet from the last span, not from the first', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.tick(1_500);
      buffer.add(tool('search', { parent: 'root' }));
      buffer.tick(3_499);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(3_500);
      expect(buffer.reasons).toEqual(['root_quiet']);
    });

    it('waits for a parent that is missing', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.add(tool('search', { parent: 'turn' }));
      buffer.tick(299_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(300_000);
      expect(buffer.reasons).toEqual(['idle']);
    });

    it('releases a trace without a root after idleMillis', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(tool('search', { parent: 'gone' }));
      buffer.tick(299_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(300_000);
      expect(buffer.reasons).toEqual(['idle']);
    });

    it('releases a trace of which only roots with a remote parent were seen after remoteRootQuietMillis', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root', { parent: 'caller', parentIsRemote: true }));
      buffer.tick(9_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(10_000);
      expect(buffer.reasons).toEqual(['remote_root_quiet']);
    });

    it('waits for a local parent that is missing though a root with a remote parent was seen', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.add(agent('far', { parent: 'caller', parentIsRemote: true }));
      buffer.add(tool('search', { parent: 'turn' }));
      buffer.tick(299_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(300_000);
      expect(buffer.reasons).toEqual(['idle']);
    });

    it('keeps to remoteRootQuietMillis also where it is the shortest of all', () => {
      const buffer = new TraceBufferHarness(make, { remoteRootQuietMillis: 500 });
      buffer.add(agent('root', { parent: 'caller', parentIsRemote: true }));
      buffer.tick(499);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(500);
      expect(buffer.reasons).toEqual(['remote_root_quiet']);
    });

    it('releases at maxTraceAgeMillis though spans keep coming', () => {
      const buffer = new TraceBufferHarness(make, { maxTraceAgeMillis: 10_000 });
      for (let now = 0; now < 10_000; now += 1_000) {
        buffer.tick(now);
        buffer.add(tool(`t${now / 1_000}`, { parent: 'root' }));
      }
      buffer.tick(9_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(10_000);
      expect(buffer.reasons).toEqual(['max_age']);
    });

    it('hears of no time but that of arrival', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root', { from: -10 * HOUR, to: 24 * HOUR }));
      buffer.tick(1_999);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(2_000);
      expect(buffer.reasons).toEqual(['root_quiet']);
    });

    it('tells whoever assembles that spans which name the same missing parent belong together', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.flush();
      expect(buffer.last.missingParent).toBe('shared');
    });
  });

  describe('in process', () => {
    const inProcess = { mode: 'process' } as const;

    it('releases a trace at once when none of its spans is open', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.add(tool('search', { parent: 'root' }));
      expect(buffer.reasons).toEqual([]);
      buffer.add(agent('root'));
      expect(buffer.reasons).toEqual(['complete']);
      expect(buffer.last.missingParent).toBe('absent');
    });

    it('waits for a span that outlives its root', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.add(agent('root'));
      expect(buffer.reasons).toEqual([]);
      buffer.add(tool('search', { parent: 'root' }));
      expect(buffer.reasons).toEqual(['complete']);
    });

    it('waits no longer for a span that ended and cannot be read', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('broken', { parent: 'root' }));
      buffer.add(agent('root'));
      expect(buffer.reasons).toEqual([]);
      buffer.abandon(tool('broken', { parent: 'root' }));
      expect(buffer.reasons).toEqual(['complete']);
      expect(idsOf(buffer.last.spans)).toEqual(['root']);
    });

    it('keeps a trace of which nothing can be read no longer than others', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('broken', { parent: 'root' }));
      buffer.add(agent('root'));
      buffer.abandon(tool('broken', { parent: 'root' }));
      buffer.start(tool('later', { parent: 'root' }));
      buffer.abandon(tool('later', { parent: 'root' }));
      buffer.flush();
      expect(buffer.reasons).toEqual(['complete']);
      buffer.tick(HOUR);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it('makes no release of a trace of which nothing could be read', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('broken'));
      buffer.abandon(agent('broken'));
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      expect(buffer.reasons).toEqual(['complete']);
      expect(buffer.last.revision).toBe(1);
    });

    it('knows what came before where nothing can be read of the next segment', () => {
      const buffer = new TraceBufferHarness(make, {
        ...inProcess,
        maxSpansPerTrace: 2,
        maxBufferedTraces: 20,
      });
      buffer.start(agent('root'));
      buffer.start(tool('broken', { parent: 'root' }));
      buffer.add(tool('a', { parent: 'root' }));
      buffer.add(agent('root'));
      buffer.abandon(tool('broken', { parent: 'root' }));
      expect(buffer.reasons).toEqual(['span_limit']);
      buffer.add(agent('root'));
      expect(buffer.duplicates).toBe(1);
      buffer.start(tool('b', { parent: 'root' }));
      buffer.add(tool('b', { parent: 'root' }));
      expect(buffer.last).toMatchObject({ segment: 2, revision: 1 });
      expect(buffer.last.context.map(({ verdict }) => verdict.role)).toContain('agent');
      expect(buffer.stats).toMatchObject({ traces: 0, keptTraces: 1 });
    });

    it('can evict a trace of whose present segment nothing can be read', () => {
      const buffer = new TraceBufferHarness(make, {
        ...inProcess,
        maxSpansPerTrace: 2,
        maxBufferedTraces: 20,
      });
      for (let index = 0; index < 100; index++) {
        const trace = String(index);
        for (const id of ['root', 'broken']) buffer.start(agent(id, { trace }));
        for (const id of ['root', 'a']) buffer.add(agent(id, { trace }));
        buffer.abandon(agent('broken', { trace }));
        expect(buffer.stats.traces + buffer.stats.keptTraces).toBeLessThanOrEqual(20);
      }
      expect(buffer.reasons).toEqual(Array(100).fill('span_limit'));
    });

    it('releases late spans soon once the last span that was open cannot be read', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.start(tool('broken', { parent: 'root' }));
      buffer.add(tool('search', { parent: 'root' }));
      buffer.abandon(tool('broken', { parent: 'root' }));
      buffer.tick(2_000);
      expect(buffer.reasons).toEqual(['complete', 'complete']);
    });

    it('lets no quiet decide while a span is open', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.add(tool('search', { parent: 'root' }));
      buffer.tick(5 * HOUR);
      expect(buffer.reasons).toEqual([]);
    });

    it('releases open spans, as far as they can be read, at maxTraceAgeMillis, and then waits for them no more', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.start(tool('lost', { parent: 'root' }), () => undefined);
      buffer.add(tool('search', { parent: 'root' }));
      buffer.tick(6 * HOUR - 1);
      expect(buffer.reasons).toEqual([]);
      buffer.tick(6 * HOUR);
      expect(buffer.reasons).toEqual(['max_age']);
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
      expect(buffer.last.spans.find((span) => span.end === undefined)?.verdict.role).toBe('agent');
      expect(idsOf(buffer.last.fresh)).toEqual(['search']);
    });

    it('adds the end of such a span to the trace when it comes after all', () => {
      const buffer = new TraceBufferHarness(make, { ...inProcess, maxTraceAgeMillis: 10_000 });
      buffer.start(agent('root'));
      buffer.tick(10_000);
      buffer.add(agent('root'));
      buffer.tick(12_000);
      expect(buffer.reasons).toEqual(['max_age', 'complete']);
      expect(buffer.last.revision).toBe(2);
      expect(buffer.last.spans.map((span) => span.end !== undefined)).toEqual([true]);
    });

    it('leaves traces with open spans at a flush', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root', { trace: 'open' }));
      buffer.start(tool('search', { trace: 'open', parent: 'root' }));
      buffer.add(tool('search', { trace: 'open', parent: 'root' }));
      buffer.flush();
      expect(buffer.reasons).toEqual([]);
      buffer.add(agent('root', { trace: 'open' }));
      expect(buffer.reasons).toEqual(['complete']);
    });

    it('releases open spans at shutdown', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.shutdown();
      expect(buffer.reasons).toEqual(['shutdown']);
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
      expect(buffer.last.fresh).toEqual([]);
    });

    it('releases at shutdown also what started after the trace was first released', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.shutdown();
      expect(buffer.reasons).toEqual(['complete', 'shutdown']);
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
    });

    it('holds a span that started after the first release for maxTraceAgeMillis, then releases it open', () => {
      const buffer = new TraceBufferHarness(make, inProcess);
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      buffer.tick(1_000);
      buffer.start(tool('search', { parent: 'root' }));
      buffer.tick(6 * HOUR + 999);
      expect(buffer.reasons).toEqual(['complete']);
      buffer.tick(6 * HOUR + 1_000);
      expect(buffer.reasons).toEqual(['complete', 'max_age']);
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
    });

    it('holds it no longer where that is shorter than the trace is kept for late spans', () => {
      const buffer = new TraceBufferHarness(make, { ...inProcess, maxTraceAgeMillis: 10_000 });
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.tick(10_000);
      expect(buffer.reasons).toEqual(['complete', 'max_age']);
    });

    it('notes no more open spans of a trace than a trace may have', () => {
      const buffer = new TraceBufferHarness(make, { ...inProcess, maxSpansPerTrace: 10 });
      for (let n = 0; n < 100; n++) buffer.start(tool(`t${n}`));
      buffer.shutdown();
      expect(buffer.last.spans).toHaveLength(10);
    });
  });

  describe('a trace that outgrows maxSpansPerTrace', () => {
    const limit = { maxSpansPerTrace: 3 };

    it('is released at exactly that many spans and goes on as a new segment', () => {
      const buffer = new TraceBufferHarness(make, limit);
      buffer.add(agent('root'));
      buffer.add(tool('a', { parent: 'root' }));
      expect(buffer.reasons).toEqual([]);
      buffer.add(tool('b', { parent: 'root' }));
      expect(buffer.reasons).toEqual(['span_limit']);
      expect(buffer.last.segment).toBe(1);
      expect(buffer.stats).toMatchObject({ traces: 1, keptTraces: 0 });
      buffer.add(tool('c', { parent: 'root' }));
      buffer.flush();
      expect(buffer.last).toMatchObject({ reason: 'flush', segment: 2, revision: 1 });
      expect(idsOf(buffer.last.spans)).toEqual(['c']);
    });

    it('knows the enclosing agents and calls in its next segment', () => {
      const buffer = new TraceBufferHarness(make, { maxSpansPerTrace: 6 });
      buffer.add(agent('root'));
      buffer.add(other('leaf', { parent: 'root' }));
      buffer.add(step('turn', { parent: 'root' }));
      buffer.add(tool('a', { parent: 'turn' }));
      for (const id of ['b', 'c']) buffer.add(other(id, { parent: 'root' }));
      buffer.add(tool('e', { parent: 'a' }));
      buffer.flush();
      expect(idsOf(buffer.last.context)).toEqual(['a', 'root', 'turn']);
    });

    it('knows the ended agent of the first segment still in the third', () => {
      const buffer = new TraceBufferHarness(make, { maxSpansPerTrace: 6 });
      buffer.add(agent('root'));
      for (let n = 0; n < 14; n++) buffer.add(tool(`t${n}`, { parent: 'root' }));
      buffer.flush();
      expect(buffer.last.segment).toBe(3);
      expect(idsOf(buffer.last.context)).toEqual(['root', 't10', 't9']);
    });

    it('counts the age of a segment from its own begin', () => {
      const buffer = new TraceBufferHarness(make, { ...limit, mode: 'process', maxTraceAgeMillis: 10_000 });
      buffer.start(agent('root'));
      buffer.now = 6_000;
      for (const id of ['a', 'b', 'c']) buffer.add(tool(id, { parent: 'root' }));
      buffer.add(tool('d', { parent: 'root' }));
      buffer.tick(15_999);
      expect(buffer.reasons).toEqual(['span_limit']);
      buffer.tick(16_000);
      expect(buffer.reasons).toEqual(['span_limit', 'max_age']);
    });

    it('takes what is open as enclosing, and its end into the segment in which it comes', () => {
      const buffer = new TraceBufferHarness(make, { ...limit, mode: 'process' });
      buffer.start(agent('root'));
      for (const id of ['a', 'b', 'c']) {
        buffer.start(tool(id, { parent: 'root' }));
        buffer.add(tool(id, { parent: 'root' }));
      }
      expect(idsOf(buffer.last.spans)).toEqual(['a', 'b', 'c']);
      expect(idsOf(buffer.last.context)).toEqual(['root']);
      buffer.add(agent('root'));
      expect(buffer.last).toMatchObject({ reason: 'complete', segment: 2 });
      expect(idsOf(buffer.last.spans)).toEqual(['root']);
    });

    it('counts a span of an earlier segment that comes again once', () => {
      const buffer = new TraceBufferHarness(make, limit);
      for (const id of ['a', 'b', 'c', 'a']) buffer.add(tool(id));
      expect(buffer.duplicates).toBe(1);
      expect(buffer.stats.spans).toBe(0);
    });

    it('does not amend what was made of the segment before', () => {
      const buffer = new TraceBufferHarness(make, limit);
      for (const id of ['a', 'b', 'c']) buffer.add(tool(id));
      buffer.last.made.runs = [MADE];
      buffer.add(tool('d'));
      buffer.flush();
      expect(buffer.last.made.runs).toEqual([]);
      expect(buffer.last.revision).toBe(1);
    });
  });

  describe('amending', () => {
    it('takes late spans and releases all again after rootQuietMillis, with what was made before', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.tick(2_000);
      buffer.last.made.runs = [MADE];
      buffer.tick(60_000);
      buffer.add(tool('search', { parent: 'root' }));
      buffer.tick(61_999);
      expect(buffer.reasons).toEqual(['root_quiet']);
      buffer.tick(62_000);
      expect(buffer.reasons).toEqual(['root_quiet', 'root_quiet']);
      expect(buffer.last).toMatchObject({ revision: 2, segment: 1 });
      expect(idsOf(buffer.last.spans)).toEqual(['root', 'search']);
      expect(idsOf(buffer.last.fresh)).toEqual(['search']);
      expect(buffer.last.made.runs).toEqual([MADE]);
    });

    it('releases a trace that comes again and again less and less often', () => {
      const buffer = new TraceBufferHarness(make, { lateMillis: 10 * HOUR });
      buffer.add(agent('root'));
      buffer.tick(2_000);
      const waits = Array.from({ length: 18 }, (_, late) => {
        buffer.add(tool(`t${late}`, { parent: 'root' }));
        const before = buffer.released.length;
        const from = buffer.now;
        while (buffer.released.length === before) buffer.tick(buffer.now + 1_000);
        return buffer.now - from;
      });
      const often = Array(8).fill(2_000);
      expect(waits).toEqual([...often, 4_000, 8_000, 16_000, 32_000, 64_000, ...Array(5).fill(128_000)]);
    });

    it('releases it also where its spans never cease, but for quiet', () => {
      const buffer = new TraceBufferHarness(make, { lateMillis: 10 * HOUR });
      buffer.add(agent('root'));
      buffer.tick(2_000);
      for (let minute = 1; minute <= 60; minute++) {
        buffer.add(tool(`t${minute}`, { parent: 'root' }));
        for (let seconds = 0; seconds < 60; seconds++) buffer.tick(buffer.now + 1_000);
      }
      expect(buffer.reasons).toEqual(Array(buffer.reasons.length).fill('root_quiet'));
      // Every minute first, every other one or so in the end.
      expect(buffer.reasons.length).toBeGreaterThan(25);
      expect(buffer.stats.spans).toBeLessThanOrEqual(3);
    });

    it('needs no root for the second release, in process neither', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process' });
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      buffer.start(tool('search', { parent: 'root' }));
      buffer.add(tool('search', { parent: 'root' }));
      expect(buffer.reasons).toEqual(['complete']);
      buffer.tick(2_000);
      expect(buffer.reasons).toEqual(['complete', 'complete']);
    });

    it('lasts lateMillis from the last span; later ones are late, with their age', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.tick(2_000);
      buffer.tick(HOUR - 1);
      expect(buffer.stats).toMatchObject({ traces: 0, keptTraces: 1 });
      buffer.add(tool('search', { parent: 'root' }));
      buffer.tick(HOUR + 1_999);
      buffer.tick(2 * HOUR - 2);
      expect(buffer.stats.keptTraces).toBe(1);
      buffer.tick(2 * HOUR - 1);
      expect(buffer.stats).toMatchObject({ traces: 0, keptTraces: 0, bytes: 0 });
      buffer.tick(2 * HOUR);
      buffer.add(tool('fetch', { parent: 'root' }));
      expect(buffer.lateAges).toEqual([HOUR + 1]);
      expect(buffer.released).toHaveLength(2);
    });

    it('does not release again what only came twice', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root'));
      buffer.tick(2_000);
      buffer.add(agent('root'));
      buffer.tick(10_000);
      buffer.flush();
      buffer.shutdown();
      expect(buffer.reasons).toEqual(['root_quiet']);
      expect(buffer.duplicates).toBe(1);
    });

    it('replaces a span that came while it was open by its end', () => {
      const buffer = new TraceBufferHarness(make);
      buffer.add(agent('root', { to: undefined }));
      buffer.flush();
      buffer.add(agent('root'));
      buffer.add(agent('root', { to: undefined }));
      buffer.flush();
      expect(buffer.released).toHaveLength(2);
      expect(buffer.last.spans).toEqual([recordOf(agent('root'))]);
      expect(buffer.duplicates).toBe(2);
    });
  });

  describe('bounds', () => {
    it('never holds more than maxBufferedTraces, those kept for late spans included', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 20 });
      for (let n = 0; n < 100; n++) {
        buffer.now = n;
        buffer.add(agent('root', { trace: `t${n}` }));
        if (n === 0) buffer.flush();
        const { traces, keptTraces } = buffer.stats;
        expect(traces + keptTraces).toBeLessThanOrEqual(20);
      }
      expect(buffer.reasons).toContain('evicted');
    });

    it('never holds more than maxBufferedBytes', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedBytes: 100_000 });
      for (let n = 0; n < 1_000; n++) {
        buffer.now = n;
        buffer.add(tool(`s${n}`, { trace: `t${n % 7}` }));
        expect(buffer.stats.bytes).toBeLessThanOrEqual(100_000);
      }
      expect(buffer.reasons).toContain('evicted');
      expect(buffer.accounted).toBe(1_000);
    });

    it('nor by what it notes of traces as it releases them', () => {
      for (const end of ['flush', 'tick'] as const) {
        const buffer = new TraceBufferHarness(make, { maxBufferedBytes: 100_000 });
        for (let n = 0; buffer.stats.bytes < 95_000; n++) buffer.add(agent('root', { trace: `t${n}` }));
        if (end === 'flush') buffer.flush();
        else buffer.tick(2_000);
        expect(buffer.stats.bytes).toBeLessThanOrEqual(100_000);
        expect(buffer.accounted).toBe(buffer.received);
      }
    });

    it('count traces of which all is open too', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', maxBufferedTraces: 1 });
      for (const trace of ['one', 'two', 'three']) buffer.start(agent('root', { trace }));
      expect(buffer.stats.traces).toBe(1);
    });

    it('release a kept trace for which late spans wait, before all that was not released yet', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 2 });
      buffer.add(tool('a', { trace: 'first', parent: 'gone' }));
      buffer.flush();
      buffer.now = 100;
      buffer.add(tool('b', { trace: 'first', parent: 'gone' }));
      buffer.add(agent('root', { trace: 'done' }));
      buffer.add(tool('a', { trace: 'new', parent: 'gone' }));
      expect(buffer.reasons).toEqual(['flush', 'evicted']);
      expect(labelOf(buffer.last.traceId)).toBe('first');
      expect(idsOf(buffer.last.fresh)).toEqual(['b']);
      buffer.now = 150;
      buffer.add(tool('c', { trace: 'first', parent: 'gone' }));
      expect(buffer.lateAges).toEqual([50]);
      expect(buffer.accounted).toBe(buffer.received);
    });

    it('weigh bytes as well as age', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 2 });
      buffer.now = 80;
      buffer.add(tool('a', { trace: 'older', parent: 'gone' }));
      buffer.now = 90;
      for (let n = 0; n < 20; n++) buffer.add(tool(`b${n}`, { trace: 'big', parent: 'gone' }));
      buffer.now = 100;
      buffer.add(tool('a', { trace: 'new', parent: 'gone' }));
      expect(labelOf(buffer.last.traceId)).toBe('big');
    });

    it('take no trace for done of which a span is open', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', maxBufferedTraces: 1 });
      buffer.start(agent('root', { trace: 'first' }));
      buffer.start(tool('a', { trace: 'first', parent: 'root' }));
      buffer.add(agent('root', { trace: 'first' }));
      buffer.start(agent('root', { trace: 'other' }));
      buffer.add(tool('a', { trace: 'first', parent: 'root' }));
      expect(buffer.lateAges).toEqual([]);
      expect(buffer.last).toMatchObject({ traceId: traceIdOf('first'), segment: 2, reason: 'complete' });
    });

    it('forgets kept traces first, releases complete ones next, then the costliest by bytes and age', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 4 });
      buffer.add(agent('root', { trace: 'kept' }));
      buffer.flush();
      buffer.now = 10;
      buffer.add(tool('a', { trace: 'old', parent: 'gone' }));
      buffer.now = 90;
      for (const id of ['a', 'b', 'c']) buffer.add(tool(id, { trace: 'big', parent: 'gone' }));
      buffer.now = 100;
      buffer.add(agent('root', { trace: 'done' }));
      const evicted = () =>
        buffer.released.filter(({ reason }) => reason === 'evicted').map(({ traceId }) => labelOf(traceId));
      buffer.add(tool('a', { trace: 'new1', parent: 'gone' }));
      expect(evicted()).toEqual([]);
      expect(buffer.stats.keptTraces).toBe(0);
      buffer.add(tool('a', { trace: 'new2', parent: 'gone' }));
      expect(evicted()).toEqual(['done']);
      buffer.add(tool('a', { trace: 'new3', parent: 'gone' }));
      expect(evicted()).toEqual(['done', 'old']);
      buffer.add(tool('a', { trace: 'new4', parent: 'gone' }));
      expect(evicted()).toEqual(['done', 'old', 'big']);
    });

    it('lets the trace go that was longest without a span where told so, as for files', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 2, evict: 'idle' });
      buffer.add(tool('a', { trace: 'lively', parent: 'gone' }));
      buffer.now = 1;
      for (const id of ['a', 'b', 'c', 'd']) buffer.add(tool(id, { trace: 'quiet', parent: 'gone' }));
      buffer.now = 2;
      buffer.add(tool('b', { trace: 'lively', parent: 'gone' }));
      buffer.now = 3;
      buffer.add(tool('a', { trace: 'new', parent: 'gone' }));
      expect(labelOf(buffer.last.traceId)).toBe('quiet');
    });

    it('lets a trace evicted before its release go on as a new segment', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 1 });
      buffer.add(tool('a', { trace: 'first', parent: 'gone' }));
      buffer.add(tool('b', { trace: 'other', parent: 'gone' }));
      buffer.add(tool('c', { trace: 'first', parent: 'gone' }));
      buffer.shutdown();
      expect(buffer.released.map(({ segment, reason }) => [reason, segment])).toEqual([
        ['evicted', 1],
        ['evicted', 1],
        ['shutdown', 2],
      ]);
    });

    it('leaves a trace that comes again alone when the time of what was evicted of it is over', () => {
      const limits = { maxBufferedTraces: 1, rootQuietMillis: 100, idleMillis: 5_000, lateMillis: 1_000 };
      const buffer = new TraceBufferHarness(make, limits);
      buffer.add(tool('a', { trace: 'first', parent: 'gone' }));
      buffer.add(tool('b', { trace: 'other', parent: 'gone' }));
      buffer.now = 900;
      buffer.add(tool('c', { trace: 'first', parent: 'gone' }));
      buffer.tick(1_500);
      expect(buffer.stats).toMatchObject({ traces: 1, spans: 1 });
      buffer.tick(6_000);
      expect(buffer.last).toMatchObject({ reason: 'idle', segment: 2 });
      expect(idsOf(buffer.last.fresh)).toEqual(['c']);
    });

    it('counts a trace once that was evicted with all it needs and comes again', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 1 });
      for (let time = 0; time < 2; time++) {
        for (const trace of ['first', 'other']) {
          buffer.add(tool('search', { trace, parent: 'root' }));
          buffer.add(agent('root', { trace }));
        }
      }
      buffer.shutdown();
      expect(buffer.released.every(({ segment }) => segment === 1)).toBe(true);
      expect(buffer.accounted).toBe(buffer.received);
    });

    it('lets the trace go first that was released last the longest ago, in whatever segment', () => {
      const buffer = new TraceBufferHarness(make, { maxSpansPerTrace: 2, maxBufferedTraces: 3 });
      for (const id of ['a1', 'a2']) buffer.add(tool(id, { trace: 'a' }));
      for (const trace of ['b', 'c']) {
        buffer.add(agent('root', { trace }));
        buffer.flush();
      }
      buffer.add(tool('a3', { trace: 'a' }));
      buffer.flush();
      buffer.add(agent('root', { trace: 'd' }));
      buffer.add(tool('a4', { trace: 'a' }));
      expect(buffer.lateAges).toEqual([]);
      buffer.add(tool('late', { trace: 'b', parent: 'root' }));
      expect(buffer.lateAges).toHaveLength(1);
    });

    it('lets a trace go that ended where its segment did, and goes on with it as the next', () => {
      const buffer = new TraceBufferHarness(make, { maxSpansPerTrace: 2, maxBufferedTraces: 3 });
      for (const trace of ['a', 'b', 'c']) {
        for (const id of ['1', '2']) buffer.add(tool(id, { trace }));
      }
      buffer.add(tool('1', { trace: 'd' }));
      expect(buffer.reasons).toEqual(['span_limit', 'span_limit', 'span_limit']);
      expect(buffer.stats).toMatchObject({ traces: 3, keptTraces: 0, spans: 1 });
      buffer.add(tool('3', { trace: 'a' }));
      buffer.flush();
      expect(buffer.last).toMatchObject({ segment: 2, revision: 1 });
      expect(buffer.accounted).toBe(buffer.received);
    });

    it('stays right where spans start while a trace is evicted', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', maxBufferedTraces: 40 });
      const more = () => {
        for (const trace of ['x', 'y', 'z']) buffer.start(agent('root', { trace }));
        return recordOf(agent('root', { trace: '0' }));
      };
      for (let index = 0; index < 41; index++) {
        buffer.start(agent('root', { trace: String(index) }), index === 0 ? more : undefined);
      }
      expect(buffer.reasons).toEqual(Array(6).fill('evicted'));
      expect(buffer.stats).toMatchObject({ traces: 38, keptTraces: 0 });
      buffer.tick(7 * HOUR);
      buffer.tick(9 * HOUR);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it('stays right where spans of other traces are let go while a trace is evicted', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', maxBufferedTraces: 100 });
      const less = () => {
        for (const trace of ['1', '2', '3']) buffer.abandon(agent('root', { trace }));
        return recordOf(agent('root', { trace: '0' }));
      };
      for (let index = 0; index < 101; index++) {
        buffer.start(agent('root', { trace: String(index) }), index === 0 ? less : undefined);
      }
      expect(buffer.reasons).toEqual(['evicted', 'evicted', 'evicted']);
      expect(buffer.stats).toMatchObject({ traces: 95, keptTraces: 0 });
      buffer.tick(7 * HOUR);
      buffer.tick(9 * HOUR);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it.each([
      ['evicted', { maxBufferedTraces: 40 }],
      ['released at its limit', { maxSpansPerTrace: 2 }],
    ])('is empty where it is shut down while a trace is %s', (_, bounds) => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', ...bounds });
      let isDown = false;
      buffer.start(agent('root', { trace: '0' }), () => {
        if (!isDown) {
          isDown = true;
          buffer.shutdown();
        }
        return undefined;
      });
      for (let index = 1; index < 41; index++) buffer.start(agent('root', { trace: String(index) }));
      if (!isDown) for (const id of ['a', 'b']) buffer.add(tool(id, { trace: '0' }));
      expect(isDown).toBe(true);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
      expect(buffer.accounted).toBe(buffer.received);
    });

    it('counts exactly where spans come and end while their own trace is released', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process' });
      const more = () => {
        for (const id of ['a', 'b', 'c']) buffer.start(tool(id));
        buffer.add(tool('a'));
        buffer.abandon(tool('b'));
        return recordOf(agent('root', { to: undefined }));
      };
      buffer.start(agent('root'), more);
      buffer.tick(HOUR);
      expect(buffer.accounted).toBe(buffer.received);
      for (let hour = 2; hour < 12; hour++) buffer.tick(hour * HOUR);
      expect(buffer.accounted).toBe(buffer.received);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it('stays right where spans come while their own trace is released at its limit', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process', maxSpansPerTrace: 2 });
      const more = () => {
        buffer.add(tool('c'));
        return recordOf(agent('root', { to: undefined }));
      };
      buffer.start(agent('root'), more);
      for (const id of ['a', 'b', 'd']) buffer.add(tool(id));
      buffer.add(agent('root'));
      buffer.flush();
      expect(buffer.accounted).toBe(buffer.received);
      expect(buffer.stats).toMatchObject({ keptTraces: 0, traces: 1 });
      buffer.tick(HOUR);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it('releases at shutdown also what comes of a trace that was released by then', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process' });
      buffer.start(agent('root', { trace: 'first' }));
      buffer.start(agent('root', { trace: 'second' }), () => {
        buffer.add(tool('late', { trace: 'first' }));
        return undefined;
      });
      buffer.shutdown();
      expect(buffer.accounted).toBe(buffer.received);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });

    it('drops spans of a kept trace that was evicted as late', () => {
      const buffer = new TraceBufferHarness(make, { maxBufferedTraces: 1 });
      buffer.add(agent('root', { trace: 'first' }));
      buffer.flush();
      buffer.add(agent('root', { trace: 'other' }));
      buffer.now = 500;
      buffer.add(tool('a', { trace: 'first', parent: 'root' }));
      expect(buffer.lateAges).toEqual([500]);
    });

    it('counts the bytes of nothing when it is empty', () => {
      const buffer = new TraceBufferHarness(make, { mode: 'process' });
      buffer.start(agent('root'));
      buffer.add(agent('root'));
      expect(buffer.stats.bytes).toBeGreaterThan(0);
      buffer.tick(HOUR);
      expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
    });
  });

  it('holds traces apart', () => {
    const buffer = new TraceBufferHarness(make);
    buffer.add(agent('root', { trace: 'one' }));
    buffer.add(agent('root', { trace: 'two' }));
    buffer.flush();
    expect(buffer.released.map(({ traceId }) => traceId)).toEqual([traceIdOf('one'), traceIdOf('two')]);
  });

  it('releases everything once at shutdown and is empty then', () => {
    const buffer = new TraceBufferHarness(make);
    buffer.add(agent('root', { trace: 'one' }));
    buffer.add(tool('a', { trace: 'two', parent: 'gone' }));
    buffer.shutdown();
    buffer.shutdown();
    buffer.tick(HOUR);
    expect(buffer.reasons).toEqual(['shutdown', 'shutdown']);
    expect(buffer.stats).toEqual({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 });
  });
}
