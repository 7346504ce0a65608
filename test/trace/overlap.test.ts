import { describe, expect, it } from 'vitest';
import { callsByAgent, cohortsOf, runsOf } from '../support/assembled.ts';
import { agent, idOf, llm, step, tool, workflow } from '../support/spans.ts';

const root = agent('root', { name: 'planner', from: 0, to: 1_000 });
/** A tool call that runs as long as all others here. */
const long = (id: string, parent: string, more: Parameters<typeof tool>[1] = {}) =>
  tool(id, { parent, from: 10, to: 900, ...more });

describe('calls of one scope may overlap', () => {
  it('where an agent encloses both', () => {
    expect(cohortsOf([root, long('a', 'root'), long('b', 'root')])).toEqual([['a', 'b']]);
  });

  it('where one tool call encloses both', () => {
    const spans = [root, long('batch', 'root'), long('a', 'batch'), long('b', 'batch')];
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('where model calls, steps and other wrappers stand between', () => {
    const spans = [
      root,
      step('turn', { parent: 'root' }),
      llm('stream', { parent: 'turn' }),
      long('a', 'stream'),
      step('node', { parent: 'root' }),
      long('b', 'node'),
      workflow('graph', { parent: 'root' }),
      long('c', 'graph'),
    ];
    expect(cohortsOf(spans).at(-1)).toEqual(['a', 'b', 'c']);
  });
});

describe('calls of different scopes do not', () => {
  it('where one encloses the other', () => {
    expect(cohortsOf([root, long('outer', 'root'), long('inner', 'outer')])).toEqual([]);
  });

  it('where one encloses the other and is itself the root of the trace', () => {
    const top = tool('outer', { from: 0, to: 900 });
    expect(cohortsOf([top, long('inner', 'outer')])).toEqual([]);
    expect(cohortsOf([top, long('a', 'outer'), long('b', 'outer')])).toEqual([['a', 'b']]);
  });

  it('where they are inside two calls that overlap', () => {
    const spans = [root, long('x', 'root'), long('y', 'root'), long('a', 'x'), long('b', 'y')];
    expect(cohortsOf(spans)).toEqual([['x', 'y']]);
  });

  it('where one is inside what runs beside the other', () => {
    const spans = [root, long('x', 'root'), long('y', 'root'), long('a', 'x')];
    expect(cohortsOf(spans)).toEqual([['x', 'y']]);
  });

  it('where two agents do their work in parallel', () => {
    const spans = [
      root,
      agent('one', { parent: 'root', name: 'one' }),
      agent('two', { parent: 'root', name: 'two' }),
      long('a', 'one'),
      long('b', 'two'),
    ];
    expect(cohortsOf(spans)).toEqual([]);
    expect(cohortsOf(spans, { run: 'trace' })).toEqual([]);
  });

  it('is written down only where a run has more than one scope', () => {
    const flat = runsOf([root, long('a', 'root'), long('b', 'root')]);
    expect(JSON.stringify(flat)).not.toContain('scope');
    const nested = runsOf([root, long('a', 'root'), long('b', 'a')]);
    expect(nested[0]?.calls.map(({ scope }) => scope)).toEqual([idOf('root'), idOf('a')]);
  });
});

describe('an agent called as a tool', () => {
  it('is a call of its caller, and its own tools are a run of their own', () => {
    const spans = [
      root,
      long('ask', 'root'),
      agent('sub', { name: 'researcher', parent: 'ask' }),
      long('a', 'sub'),
      long('b', 'sub'),
      long('c', 'root'),
    ];
    expect(callsByAgent(spans)).toEqual({ planner: [['ask', 'c']], researcher: [['a', 'b']] });
    expect(cohortsOf(spans)).toEqual([
      ['ask', 'c'],
      ['a', 'b'],
    ]);
  });

  it('is no call where no tool span encloses it', () => {
    const spans = [root, agent('sub', { name: 'researcher', parent: 'root' }), long('a', 'sub')];
    expect(callsByAgent(spans)).toEqual({ researcher: [['a']] });
  });

  it('keeps its tool of the same name and call id a call, not a layer', () => {
    const spans = [
      root,
      long('ask', 'root', { callId: 'c1' }),
      agent('sub', { name: 'researcher', parent: 'ask' }),
      long('a', 'sub', { name: 'ask', callId: 'c1', isMcp: true }),
    ];
    expect(callsByAgent(spans)).toEqual({ planner: [['ask']], researcher: [['ask']] });
  });
});

describe('a layer of a call is no call', () => {
  const inside = (more: Parameters<typeof tool>[1], outer: Parameters<typeof tool>[1] = {}) =>
    callsByAgent([
      root,
      long('outer', 'root', outer),
      step('http', { parent: 'outer' }),
      long('in', 'http', more),
    ]).planner;

  it('where it has the same call id', () => {
    expect(inside({ callId: 'c1' }, { callId: 'c1' })).toEqual([['outer']]);
    expect(inside({ callId: 'c2' }, { callId: 'c1' })).toEqual([['in', 'outer']]);
  });

  it('where it has the same name once MCP prefixes are stripped', () => {
    expect(inside({ name: 'search' }, { name: 'search' })).toEqual([['search']]);
    expect(inside({ name: 'search' }, { name: 'mcp__web__search' })).toEqual([['mcp__web__search']]);
    expect(inside({ name: 'mcp__a__b__search' }, { name: 'search' })).toHaveLength(1);
    expect(inside({ name: 'research' }, { name: 'search' })?.[0]).toHaveLength(2);
  });

  it('where it is the only MCP call', () => {
    expect(inside({ isMcp: true })).toEqual([['outer']]);
  });

  it('but one of several MCP calls is a call', () => {
    const spans = [
      root,
      long('outer', 'root'),
      long('a', 'outer', { isMcp: true }),
      long('b', 'outer', { isMcp: true }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['a', 'b', 'outer']]);
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('but not across a workflow, however alike they are', () => {
    const spans = [
      root,
      long('outer', 'root', { name: 'search', callId: 'c1' }),
      workflow('graph', { parent: 'outer' }),
      long('inner', 'graph', { name: 'search', callId: 'c1', isMcp: true }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['search', 'search']]);
  });

  it('through what is a layer itself, by its own sign or by that of the call', () => {
    const through = (inner: string) => [
      root,
      long('outer', 'root', { name: 'search', callId: 'c1' }),
      long('client', 'outer', { name: 'tools/call', isMcp: true, callId: 'rpc1' }),
      long('inner', 'client', { name: 'find', callId: inner }),
    ];
    expect(callsByAgent(through('c1')).planner).toEqual([['search']]);
    expect(callsByAgent(through('rpc1')).planner).toEqual([['search']]);
    expect(callsByAgent(through('c2')).planner).toEqual([['find', 'search']]);
  });

  it('through client and server of an MCP call', () => {
    const spans = [
      root,
      long('tool', 'root'),
      long('client', 'tool', { name: 'tools/call', isMcp: true }),
      long('server', 'client', { name: 'handler', isMcp: true, process: 'server' }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['tool']]);
  });

  it('and what it encloses is enclosed by the call', () => {
    const spans = [
      root,
      long('outer', 'root', { callId: 'c1' }),
      long('layer', 'outer', { callId: 'c1' }),
      long('deeper', 'layer', { callId: 'c1' }),
      long('a', 'deeper'),
      long('b', 'outer'),
    ];
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('unless what it would be a layer of only times an execution that was not seen', () => {
    const spans = [root, long('run', 'root', { isExecution: true }), long('a', 'run', { isMcp: true })];
    expect(callsByAgent(spans).planner).toEqual([['a']]);
  });

  it('and times the call where it times its execution', () => {
    const spans = [
      root,
      long('a', 'root', { from: 0, to: 500 }),
      long('run', 'a', { from: 400, to: 500, isExecution: true }),
      long('b', 'root', { from: 0, to: 300 }),
    ];
    expect(cohortsOf(spans)).toEqual([]);
  });

  it('and does not time the call where it only shows its way', () => {
    const spans = [
      root,
      long('a', 'root', { from: 0, to: 500 }),
      long('client', 'a', { from: 400, to: 500, isMcp: true }),
      long('b', 'root', { from: 0, to: 300 }),
    ];
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });
});

describe('siblings of one call id', () => {
  it('are one call where they overlap, as long as both', () => {
    const spans = [
      root,
      tool('a', { parent: 'root', callId: 'c1', from: 0, to: 50 }),
      tool('a2', { parent: 'root', name: 'A', callId: 'c1', from: 10, to: 90 }),
      tool('b', { parent: 'root', callId: 'c2', from: 60, to: 99 }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['a', 'b']]);
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('are calls of their own where one follows the other, as retries do', () => {
    const spans = [
      root,
      tool('a', { parent: 'root', callId: 'c1', from: 0, to: 50 }),
      tool('a2', { parent: 'root', name: 'a', callId: 'c1', from: 50, to: 90 }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['a', 'a']]);
    expect(callsByAgent([...spans, long('b', 'root')]).planner).toEqual([['a', 'b', 'a']]);
  });

  it('are one call with the retry that they overlap, not with the one before', () => {
    const retry = (id: string, from: number, to: number) =>
      tool(id, { parent: 'root', name: 'a', callId: 'c1', from, to });
    const spans = [root, retry('a', 0, 50), retry('a2', 60, 100), retry('a3', 70, 120)];
    expect(callsByAgent(spans).planner).toEqual([['a', 'a']]);
  });

  it('are one call without an end where one of them has none', () => {
    const twin = { parent: 'root', name: 'a', callId: 'c1' };
    const open = tool('x', { ...twin, from: 0, to: undefined });
    const ended = tool('y', { ...twin, from: 10, to: 50 });
    const [run] = runsOf([root, open, ended]);
    expect(run?.calls.map(({ name, endedAt }) => [name, endedAt])).toEqual([['a', undefined]]);
  });

  it('put what either encloses into one scope', () => {
    const twin = { callId: 'c1', name: 'batch' };
    const spans = [root, long('x', 'root', twin), long('y', 'root', twin), long('a', 'x'), long('b', 'y')];
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('make one call of twins inside twins', () => {
    const twin = { callId: 'c1', name: 'batch' };
    const child = { callId: 'c2', name: 'child' };
    const spans = [
      root,
      long('x', 'root', twin),
      long('y', 'root', twin),
      long('a', 'x', { ...child, from: 20 }),
      long('b', 'y', { ...child, from: 20 }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['batch', 'child']]);
  });

  it('are two calls without a call id, however alike', () => {
    const spans = [root, long('a', 'root', { name: 'search' }), long('b', 'root', { name: 'search' })];
    expect(cohortsOf(spans)).toEqual([['search', 'search']]);
  });
});

describe('what an emitter marks as a tool although it is a prompt', () => {
  const kernel = { mayBePrompt: true } as const;

  it('is looked through where a model call is directly inside', () => {
    const spans = [
      root,
      long('prompt', 'root', kernel),
      llm('l', { parent: 'prompt', from: 10, to: 900 }),
      long('a', 'prompt', { ...kernel }),
      long('b', 'root', { ...kernel }),
    ];
    expect(callsByAgent(spans).planner).toEqual([['a', 'b', 'chat']]);
    expect(cohortsOf(spans)).toEqual([['a', 'b']]);
  });

  it('is a call where it has a call id or no model call', () => {
    const withId = [
      root,
      long('f', 'root', { ...kernel, callId: 'c1' }),
      llm('l', { parent: 'f', from: 20 }),
    ];
    expect(callsByAgent(withId).planner).toEqual([['f', 'chat']]);
    expect(callsByAgent([root, long('f', 'root', kernel)]).planner).toEqual([['f']]);
  });
});

describe('in an emitter that flattens the tree', () => {
  const flat = { isFlat: true, parent: 'flow' } as const;
  const flow = workflow('flow', { from: 0, to: 1_000 });
  const parallel = [tool('a', { ...flat, from: 100, to: 200 }), tool('b', { ...flat, from: 100, to: 190 })];

  it('what runs side by side is evidence', () => {
    expect(cohortsOf([flow, ...parallel])).toEqual([['a', 'b']]);
    const before = llm('l', { ...flat, from: 10, to: 90 });
    expect(cohortsOf([flow, before, ...parallel])).toEqual([['a', 'b']]);
  });

  it('what lies inside a call during which a model call starts is none', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const model = llm('l', { ...flat, from: 60, to: 90 });
    expect(cohortsOf([flow, ask, model, ...parallel])).toEqual([]);
  });

  it('so does one that is open still, or begins with the model call', () => {
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const open = tool('ask', { ...flat, from: 50, to: undefined });
    expect(cohortsOf([flow, open, model, ...parallel])).toEqual([]);
    const atOnce = tool('ask', { ...flat, from: 60, to: 300 });
    expect(cohortsOf([flow, atOnce, model, ...parallel])).toEqual([]);
  });

  it('but not one that is over as the model call starts, but for what clocks round', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const inside = tool('a', { ...flat, from: 100, to: 200 });
    expect(cohortsOf([flow, ask, inside, llm('l', { ...flat, from: 298 })])).toEqual([['a', 'ask']]);
    expect(cohortsOf([flow, ask, inside, llm('l', { ...flat, from: 297 })])).toEqual([]);
  });

  it('what ends up to 5 ms after such a call lies inside still', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const until = (to: number) => cohortsOf([flow, ask, model, tool('a', { ...flat, from: 100, to })]);
    expect(until(305)).toEqual([]);
    expect(until(305.001)).toEqual([['a', 'ask']]);
  });

  it('of many such calls the one that ends last tells what lies inside', () => {
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const asks = [300, 80, 70, 75].map((to, n) => tool(`ask${n}`, { ...flat, from: 50 + n, to }));
    expect(cohortsOf([flow, model, ...asks, ...parallel])).toEqual([]);
  });

  it('two such calls that end together lie each inside the other', () => {
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const asks = [tool('ask', { ...flat, from: 50, to: 300 }), tool('ask2', { ...flat, from: 51, to: 302 })];
    expect(cohortsOf([flow, model, ...asks])).toEqual([]);
  });

  it('hears of model calls in whatever order their agents come', () => {
    const heard = (id: string, stampedAgent: string, from: number) =>
      llm(id, { ...flat, from, to: from + 5, stampedAgent });
    const models = [heard('k', 'one', 10), heard('l', 'two', 60), heard('m', 'one', 350)];
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    expect(cohortsOf([flow, ask, ...models, ...parallel])).toEqual([]);
  });

  it('does not hear of model calls of another agent where the tools bear theirs', () => {
    const mine = { ...flat, stampedAgent: 'planner' };
    const model = llm('l', { ...flat, from: 60, to: 90, stampedAgent: 'researcher' });
    const tools = [tool('ask', { ...mine, from: 50, to: 300 }), tool('a', { ...mine, from: 100, to: 200 })];
    expect(cohortsOf([flow, model, ...tools])).toEqual([['a', 'ask']]);
  });

  it('trusts a tool call that another emitter put into the tree', () => {
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const ask = tool('ask', { parent: 'flow', from: 50, to: 300 });
    expect(cohortsOf([flow, model, ask, tool('a', { ...flat, from: 100, to: 200 })])).toEqual([['a', 'ask']]);
  });

  it('what lies inside has a scope apart from that of what outlives it', () => {
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const sub = tool('sub', { ...flat, from: 100, to: 304 });
    expect(cohortsOf([flow, model, ask, sub, tool('inner', { parent: 'sub', from: 110, to: 400 })])).toEqual(
      [],
    );
  });

  it('what lies inside does not overlap what it encloses itself either', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const model = llm('l', { ...flat, from: 60, to: 90 });
    const sub = tool('sub', { ...flat, from: 100, to: 200 });
    expect(cohortsOf([flow, ask, model, sub, tool('inner', { parent: 'sub', from: 100, to: 190 })])).toEqual(
      [],
    );
  });

  it('hears also of model calls that bear an agent the tools do not', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const model = llm('l', { ...flat, from: 60, to: 90, stampedAgent: 'researcher' });
    expect(cohortsOf([flow, ask, model, ...parallel])).toEqual([]);
  });

  it('such calls side by side are evidence, with what overlaps them from outside', () => {
    const ask = tool('ask', { ...flat, from: 50, to: 300 });
    const other = tool('other', { ...flat, from: 150, to: 400 });
    const models = [llm('l', { ...flat, from: 60, to: 90 }), llm('m', { ...flat, from: 350, to: 360 })];
    expect(cohortsOf([flow, ask, other, ...models])).toEqual([['ask', 'other']]);
  });

  it('is nothing of all that in an emitter that keeps the tree', () => {
    const kept = { parent: 'root' } as const;
    const spans = [
      root,
      tool('ask', { ...kept, from: 50, to: 300 }),
      llm('l', { ...kept, from: 60, to: 90 }),
      tool('a', { ...kept, from: 100, to: 200 }),
    ];
    expect(cohortsOf(spans)).toEqual([['a', 'ask']]);
  });
});

describe('the overlap that counts', () => {
  const pair = (overlap: number, process = 'process') => [
    root,
    tool('a', { parent: 'root', from: 0, to: 100 }),
    tool('b', { parent: 'root', from: 100 - overlap, to: 300, process }),
  ];

  it('is more than minOverlapMillis, because clocks are rounded', () => {
    expect(cohortsOf(pair(2))).toEqual([]);
    expect(cohortsOf(pair(2.001))).toEqual([['a', 'b']]);
    expect(cohortsOf(pair(0.001), { minOverlapMillis: 0 })).toEqual([['a', 'b']]);
    expect(cohortsOf(pair(0), { minOverlapMillis: 0 })).toEqual([]);
  });

  it('is more than crossResourceOverlapMillis between two processes, whose clocks differ', () => {
    expect(cohortsOf(pair(50, 'server'))).toEqual([]);
    expect(cohortsOf(pair(50.001, 'server'))).toEqual([['a', 'b']]);
    expect(cohortsOf(pair(3, 'server'), { crossResourceOverlapMillis: 2 })).toEqual([['a', 'b']]);
  });

  it('is told in the record only where a run has tools of several processes', () => {
    const [one] = runsOf(pair(10));
    expect(JSON.stringify(one)).not.toMatch(/resource/i);
    const [two] = runsOf(pair(10, 'server'));
    expect(two).toMatchObject({ crossResourceOverlapMillis: 50 });
    expect(two?.calls.map(({ resource }) => resource)).toEqual(['process', 'server']);
  });

  it('says nothing of the process of a model call', () => {
    const model = llm('l', { parent: 'root', from: 1, to: 2, process: 'gateway' });
    const [one] = runsOf([...pair(10), model]);
    expect(JSON.stringify(one)).not.toMatch(/resource/i);
    const [two] = runsOf([...pair(10, 'server'), model]);
    expect(two?.calls.map(({ resource }) => resource)).toEqual(['process', undefined, 'server']);
  });
});
