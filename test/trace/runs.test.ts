import { describe, expect, it } from 'vitest';
import { assembled, callsByAgent, runsOf } from '../support/assembled.ts';
import { agent, at, idOf, llm, other, step, tool, workflow } from '../support/spans.ts';

const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('one run for each agent run', () => {
  it('gives a call to its nearest enclosing agent', () => {
    const spans = [
      agent('outer', { name: 'outer' }),
      tool('a', { parent: 'outer' }),
      agent('inner', { name: 'inner', parent: 'outer' }),
      step('turn', { parent: 'inner' }),
      tool('b', { parent: 'turn' }),
    ];
    expect(callsByAgent(spans)).toEqual({ outer: [['a']], inner: [['b']] });
  });

  it('gives a call without an agent to its nearest workflow', () => {
    const spans = [
      workflow('crew', { name: 'crew' }),
      workflow('task', { name: 'task', parent: 'crew' }),
      tool('a', { parent: 'task' }),
    ];
    expect(callsByAgent(spans)).toEqual({ task: [['a']] });
  });

  it('prefers an agent to a workflow inside it', () => {
    const spans = [
      agent('root', { name: 'planner' }),
      workflow('graph', { name: 'graph', parent: 'root' }),
      tool('a', { parent: 'graph' }),
    ];
    expect(callsByAgent(spans)).toEqual({ planner: [['a']] });
  });

  it('gives a call without either to its topmost known ancestor', () => {
    const spans = [
      other('http'),
      step('turn', { parent: 'http' }),
      tool('a', { parent: 'turn' }),
      tool('b', { parent: 'http' }),
    ];
    expect(callsByAgent(spans)).toEqual({ service: [['a', 'b']] });
  });

  it('makes one run of spans that name the same missing parent, over the wire', () => {
    const spans = [
      tool('a', { parent: 'lost' }),
      step('turn', { parent: 'lost' }),
      tool('b', { parent: 'turn' }),
      tool('c', { parent: 'gone' }),
    ];
    expect(callsByAgent(spans).service).toEqual([['a', 'b'], ['c']]);
  });

  it('takes a missing parent for none in process', () => {
    const spans = [tool('a', { parent: 'lost' }), tool('b', { parent: 'lost' })];
    expect(callsByAgent(spans, {}, { missingParent: 'absent' }).service).toEqual([['a'], ['b']]);
  });

  it('makes a run of each root, of those with a remote parent too', () => {
    const remote = { parent: 'caller', parentIsRemote: true } as const;
    const spans = [tool('a'), tool('b'), tool('c', remote), tool('d', remote)];
    expect(callsByAgent(spans).service).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  it('makes no run of an agent without calls', () => {
    expect(runsOf([agent('root', { name: 'planner' }), step('turn', { parent: 'root' })])).toEqual([]);
  });

  it('puts all of a trace into one run where told so', () => {
    const spans = [
      agent('outer', { name: 'outer', from: 0, to: 100 }),
      tool('a', { parent: 'outer', from: 5 }),
      agent('inner', { name: 'inner', parent: 'outer' }),
      tool('b', { parent: 'inner', from: 20, to: 30 }),
      tool('c', { from: 40, to: 70 }),
    ];
    const [run, ...more] = runsOf(spans, { run: 'trace' });
    expect(more).toEqual([]);
    expect(run?.calls.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(run).toMatchObject({ agentId: 'outer', startedAt: at(5), endedAt: at(70) });
  });

  it('names such a run after the outermost agent of its first call, else its workflow', () => {
    const name = (spans: Parameters<typeof runsOf>[0]) => runsOf(spans, { run: 'trace' })[0]?.agentId;
    const outer = agent('outer', { name: 'outer' });
    const inner = agent('inner', { name: 'inner', parent: 'outer' });
    expect(name([outer, inner, tool('a', { parent: 'inner' })])).toBe('outer');
    expect(
      name([
        other('http'),
        workflow('crew', { name: 'crew', parent: 'http' }),
        tool('a', { parent: 'crew' }),
      ]),
    ).toBe('crew');
  });

  it('cuts a cycle of parents and loses no call', () => {
    const spans = [step('a', { parent: 'c' }), step('b', { parent: 'a' }), tool('c', { parent: 'b' })];
    expect(runsOf(spans).flatMap(({ calls }) => calls)).toHaveLength(1);
    expect(assembled([tool('self', { parent: 'self' })])[0]?.members).toHaveLength(1);
  });

  it('copes with a trace as deep as it is long', () => {
    const chain = Array.from({ length: 20_000 }, (_, n) =>
      (n % 2 === 0 ? step : llm)(`s${n}`, n === 0 ? {} : { parent: `s${n - 1}` }),
    );
    const spans = [...chain, tool('a', { parent: 's19999' })];
    expect(runsOf(spans)[0]?.calls.map(({ name }) => name)).toEqual(['a', 'chat']);
  });
});

describe('the id of a run', () => {
  const one = [agent('root'), tool('a', { parent: 'root' })];

  it('is a UUID of version 5, of trace id and run span id alone', () => {
    const [first] = runsOf(one);
    const [again] = runsOf([agent('root', { name: 'other', from: 7 }), tool('b', { parent: 'root' })]);
    expect(first?.id).toMatch(UUID_V5);
    expect(again?.id).toBe(first?.id);
    // Stored runs are found by it: it must never change.
    expect(first?.id).toMatchInlineSnapshot(`"1e807267-f455-521b-b306-c0e8c9cdf555"`);
  });

  it('differs by trace, run span and segment', () => {
    const ids = [
      runsOf(one),
      runsOf(one, {}, { traceId: 'f'.repeat(32) }),
      runsOf([agent('other'), tool('a', { parent: 'other' })]),
      runsOf(one, {}, { segment: 2 }),
    ].map(([run]) => run?.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('is that of the run span even while that is missing', () => {
    expect(runsOf([tool('a', { parent: 'root' })])[0]?.id).toBe(runsOf(one)[0]?.id);
  });
});

describe('the record of a run', () => {
  it('has the times of its run span', () => {
    const spans = [agent('root', { from: 1, to: 9 }), tool('a', { parent: 'root', from: 2, to: 12 })];
    expect(runsOf(spans)[0]).toMatchObject({ startedAt: at(1), endedAt: at(9) });
  });

  it('else has those of its calls', () => {
    const spans = [
      tool('a', { parent: 'lost', from: 2, to: 12 }),
      tool('b', { parent: 'lost', from: 5, to: 30 }),
    ];
    expect(runsOf(spans)[0]).toMatchObject({ startedAt: at(2), endedAt: at(30) });
  });

  it('has no end while its span is open', () => {
    const spans = [agent('root', { to: undefined }), tool('a', { parent: 'root', to: undefined })];
    const [run] = runsOf(spans);
    expect(run).not.toHaveProperty('endedAt');
    expect(run?.calls[0]).not.toHaveProperty('endedAt');
  });

  it('has its calls in order of start, name by UTF-8 bytes, end, span id', () => {
    const spans = [
      agent('root'),
      tool('e', { parent: 'root', name: 'z', from: 0, to: 5 }),
      tool('d', { parent: 'root', name: '\u{1f600}', from: 1, to: 5 }),
      tool('b', { parent: 'root', name: '\uff5e', from: 1, to: 6 }),
      tool('c', { parent: 'root', name: '\uff5e', from: 1, to: 5 }),
      llm('a2', { parent: 'root', name: '\uff5e', from: 1, to: 5, modelName: 'second' }),
    ];
    const [run] = runsOf([...spans].reverse());
    expect(run?.calls.map((call) => [call.name, call.modelName ?? call.endedAt])).toEqual([
      ['z', at(5)],
      ['\uff5e', 'second'],
      ['\uff5e', at(5)],
      ['\uff5e', at(6)],
      ['\u{1f600}', at(5)],
    ]);
  });

  it('takes an end before the start for the start', () => {
    const spans = [agent('root'), tool('a', { parent: 'root', from: 5, to: 3 })];
    expect(runsOf(spans)[0]?.calls[0]).toMatchObject({ startedAt: at(5), endedAt: at(5) });
  });

  it('carries tokens, model and number of tool calls of model calls', () => {
    const usage = {
      promptTokens: 80,
      outputTokens: 12,
      totalTokens: 92,
      modelName: 'm',
      toolCallCount: 3,
    };
    const spans = [agent('root'), llm('l', { parent: 'root', from: 1, to: 2, ...usage })];
    expect(runsOf(spans)[0]?.calls).toEqual([
      { kind: 'llm', name: 'chat', startedAt: at(1), endedAt: at(2), ...usage },
    ]);
  });

  it('counts a model call once where a framework and its client library both show it', () => {
    const spans = [
      agent('root'),
      llm('outer', { parent: 'root', name: 'framework' }),
      step('http', { parent: 'outer' }),
      llm('inner', { parent: 'http', name: 'client' }),
    ];
    expect(runsOf(spans)[0]?.calls.map(({ name }) => name)).toEqual(['client']);
    const throughOther = [
      agent('root'),
      llm('outer', { parent: 'root', name: 'framework' }),
      other('http', { parent: 'outer' }),
      llm('inner', { parent: 'http', name: 'client' }),
    ];
    expect(runsOf(throughOther)[0]?.calls.map(({ name }) => name)).toEqual(['client']);
  });

  it('counts a model call that encloses a tool call and the model call of that as two', () => {
    const spans = [
      agent('root'),
      llm('outer', { parent: 'root', name: 'outer' }),
      tool('ask', { parent: 'outer' }),
      llm('inner', { parent: 'ask', name: 'inner' }),
    ];
    expect(runsOf(spans)[0]?.calls.map(({ name }) => name)).toEqual(['ask', 'inner', 'outer']);
  });

  it('says by which overlap it is to be read', () => {
    const spans = [agent('root'), tool('a', { parent: 'root' })];
    expect(runsOf(spans)[0]).toMatchObject({ minOverlapMillis: 2 });
    expect(runsOf(spans, { minOverlapMillis: 0 })[0]).not.toHaveProperty('minOverlapMillis');
    expect(runsOf(spans)[0]).not.toHaveProperty('crossResourceOverlapMillis');
    const two = [...spans, tool('b', { parent: 'root', process: 'server' })];
    expect(runsOf(two, { crossResourceOverlapMillis: 0 })[0]).not.toHaveProperty(
      'crossResourceOverlapMillis',
    );
  });

  it('tells which spans it is made of', () => {
    const spans = [
      agent('root'),
      step('turn', { parent: 'root' }),
      tool('a', { parent: 'turn', callId: 'c1' }),
      tool('layer', { parent: 'a', callId: 'c1' }),
      other('http', { parent: 'layer' }),
    ];
    const members = assembled(spans)[0]?.members.map(({ spanId }) => spanId);
    expect(members?.sort()).toEqual([idOf('a'), idOf('layer'), idOf('root')].sort());
  });

  it('tells of a call that is its own run span but once', () => {
    expect(assembled([tool('a')])[0]?.members.map(({ spanId }) => spanId)).toEqual([idOf('a')]);
  });
});

describe('weak verdicts', () => {
  it('count where a stronger one is in the trace', () => {
    const spans = [agent('root', { name: 'planner' }), tool('a', { parent: 'root', weak: true })];
    expect(callsByAgent(spans)).toEqual({ planner: [['a']] });
  });

  it('count for nothing where none is', () => {
    expect(runsOf([agent('root', { weak: true }), tool('a', { parent: 'root', weak: true })])).toEqual([]);
    expect(runsOf([other('root'), tool('a', { parent: 'root', weak: true })])).toEqual([]);
  });

  it('count where the stronger one was in an earlier segment', () => {
    const context = [agent('root', { name: 'planner' })];
    expect(callsByAgent([tool('a', { parent: 'root', weak: true })], {}, { context, segment: 2 })).toEqual({
      planner: [['a']],
    });
  });
});

describe('a later segment', () => {
  const context = [agent('root', { name: 'planner' }), tool('ask', { parent: 'root' })];

  it('has runs of the agents it knows, with its own calls only', () => {
    const later = [tool('a', { parent: 'root' }), tool('b', { parent: 'ask' })];
    const runs = assembled(later, {}, { context, segment: 2 });
    expect(runs.map(({ run }) => [run.agentId, run.calls.map(({ name }) => name)])).toEqual([
      ['planner', ['a', 'b']],
    ]);
    expect(runs[0]?.members.map(({ spanId }) => spanId)).toEqual([idOf('a'), idOf('b')]);
  });

  it('does not count the layer of a call again that came before the call', () => {
    const layer = tool('layer', { parent: 'a', callId: 'c1' });
    const later = [tool('a', { parent: 'root', callId: 'c1' }), other('http', { parent: 'layer' })];
    const [run] = assembled(later, {}, { context: [...context, layer], segment: 2 });
    expect(run?.members.map(({ spanId }) => spanId)).toEqual([idOf('a')]);
  });
});
