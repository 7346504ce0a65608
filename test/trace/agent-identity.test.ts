import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleRuns, DEFAULT_ASSEMBLE_OPTIONS } from '../../src/trace/assemble-runs.ts';
import { callsByAgent, runsOf } from '../support/assembled.ts';
import { agent, llm, other, recordOf, type SpanSpec, tool, workflow } from '../support/spans.ts';

const UUID = '6f1d1c0a-5b7e-4d0e-9a3f-2c8b7d615e42';
const agentsOf = (...given: Parameters<typeof runsOf>) => runsOf(...given).map(({ agentId }) => agentId);
const call = tool('a', { parent: 'root' });

describe('what an agent is called', () => {
  it('is first of all what the option says', () => {
    expect(agentsOf([agent('root', { name: 'planner' }), call], { agentId: 'mine' })).toEqual(['mine']);
  });

  it("is what the user's rule says of its span, before the name there", () => {
    expect(agentsOf([agent('root', { name: 'planner', agentOverride: 'mine' }), call])).toEqual(['mine']);
  });

  it("is what the user's rule says of its calls", () => {
    const spans = [agent('root', { name: 'planner' }), tool('a', { parent: 'root', agentOverride: 'mine' })];
    expect(agentsOf(spans)).toEqual(['mine']);
    expect(agentsOf([...spans, tool('A', { parent: 'root' })])).toEqual(['mine']);
  });

  it("is not what the user's rule says of an agent around it, unless it has no name of its own", () => {
    const outer = agent('outer', { name: 'planner', agentOverride: 'mine' });
    const inner = tool('a', { parent: 'inner' });
    expect(agentsOf([outer, agent('inner', { parent: 'outer', name: 'writer' }), inner])).toEqual(['writer']);
    expect(agentsOf([outer, agent('inner', { parent: 'outer' }), inner])).toEqual(['mine']);
  });

  it("is the name on its span, then the framework's own place for it", () => {
    const names = { frameworkName: 'fn', agentId: 'id' };
    expect(agentsOf([agent('root', { ...names, name: 'planner' }), call])).toEqual(['planner']);
    expect(agentsOf([agent('root', names), call])).toEqual(['fn']);
    expect(agentsOf([workflow('root', { frameworkName: 'flow' }), call])).toEqual(['flow']);
  });

  it('is its id where it has no name, unless the id was made for the run', () => {
    expect(agentsOf([agent('root', { agentId: 'planner-v2' }), call])).toEqual(['planner-v2']);
    for (const agentId of [
      UUID,
      UUID.toUpperCase(),
      `urn:uuid:${UUID}`,
      '0123456789abcdef',
      'a'.repeat(40),
    ]) {
      expect(agentsOf([agent('root', { agentId }), call])).toEqual(['service']);
    }
    expect(agentsOf([agent('root', { agentId: '0123456789abcde' }), call])).toEqual(['0123456789abcde']);
  });

  it('is then the name of the next agent around it', () => {
    const spans = [
      agent('far', { name: 'far' }),
      agent('outer', { name: 'outer', parent: 'far' }),
      agent('root', { parent: 'outer', agentId: UUID }),
      call,
    ];
    expect(agentsOf(spans)).toEqual(['outer']);
  });

  it('is then service.name, unless that is the default of the SDK', () => {
    const nameless = (service: string | undefined) => agentsOf([agent('root', { service }), call]);
    expect(nameless('research')).toEqual(['research']);
    for (const service of ['unknown_service', 'unknown_service:node', '', ' ', 'n/a', undefined]) {
      expect(nameless(service)).toEqual(['unknown']);
    }
  });

  it("is never the name on a span that is no agent's", () => {
    expect(agentsOf([other('root', { name: 'GET /chat', frameworkName: 'router' }), call])).toEqual([
      'service',
    ]);
  });

  it('is at most 256 bytes of UTF-8, cut with a hash', () => {
    const [name = ''] = agentsOf([agent('root', { name: '\u{1f600}'.repeat(100) }), call]);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(256);
    expect(name).toMatch(/~[0-9a-f]{12}$/);
  });
});

describe('the name stamped on a call', () => {
  const stamped = (name: string, id: string, flat?: true) =>
    tool(id, { parent: 'root', stampedAgent: name, ...(flat && { isFlat: flat }) });

  it('splits what an emitter hangs below one workflow or nameless root', () => {
    const spans = [workflow('root', { name: 'flow' }), stamped('a', 't1', true), stamped('b', 't2', true)];
    expect(runsOf(spans)).toHaveLength(2);
    expect(callsByAgent([agent('root'), ...spans.slice(1)])).toEqual({ a: [['t1']], b: [['t2']] });
  });

  it('is not heard in a tree that can be trusted', () => {
    const spans = [agent('root', { name: 'planner' }), stamped('a', 't1', true), stamped('b', 't2')];
    expect(callsByAgent(spans)).toEqual({ planner: [['t1', 't2']] });
    const nameless = [agent('root'), stamped('a', 't1'), stamped('b', 't2')];
    expect(callsByAgent(nameless)).toEqual({ service: [['t1', 't2']] });
  });

  it('is heard of calls whose agent was not seen', () => {
    expect(callsByAgent([stamped('a', 't1'), stamped('b', 't2')])).toEqual({ a: [['t1']], b: [['t2']] });
  });

  it("is only then heard in the framework's own place for it too", () => {
    const placed = tool('t1', { parent: 'root', frameworkName: 'fn', isFlat: true });
    expect(callsByAgent([placed])).toEqual({ fn: [['t1']] });
    const two = [placed, tool('t2', { parent: 'root', frameworkName: 'other', isFlat: true })];
    expect(callsByAgent([workflow('root', { name: 'flow' }), ...two])).toEqual({ flow: [['t1', 't2']] });
  });

  it('keeps the runs of one span apart by id', () => {
    const [a, b] = runsOf([other('root'), stamped('a', 't1'), stamped('b', 't2')]);
    expect(a?.id).not.toBe(b?.id);
  });

  it('is heard on model calls as well', () => {
    const spans = [other('root'), llm('l', { parent: 'root', stampedAgent: 'a' }), stamped('a', 't1')];
    expect(callsByAgent(spans)).toEqual({ a: [['chat', 't1']] });
  });
});

describe('what agents within one another are called', () => {
  it('is the nearest name around it, however many agents of whatever identity are within one another', () => {
    const identity = fc.constantFrom({}, { name: 'planner' }, { agentId: 'writer-v2' }, { agentId: UUID });
    fc.assert(
      fc.property(fc.array(identity, { minLength: 1, maxLength: 30 }), (identities) => {
        const spans = identities.flatMap((given, depth) => [
          agent(`a${depth}`, { ...given, ...(depth > 0 && { parent: `a${depth - 1}` }) }),
          tool(`t${depth}`, { parent: `a${depth}` }),
        ]);
        const expected = identities.map((_, depth) => {
          const around = identities.slice(0, depth + 1).reverse();
          const names = around.map(
            ({ name, agentId }: { name?: string; agentId?: string }) => name ?? agentId,
          );
          return names.find((name) => name !== undefined && name !== UUID) ?? 'service';
        });
        const found = runsOf(spans).map(({ agentId, calls }) => [calls[0]?.name, agentId]);
        expect(Object.fromEntries(found)).toEqual(
          Object.fromEntries(expected.map((name, depth) => [`t${depth}`, name])),
        );
      }),
    );
  });

  it('takes no more than a look at each agent', () => {
    let looks = 0;
    const records = Array.from({ length: 1_000 }, (_, depth) => {
      const spec = agent(`a${depth}`, depth > 0 ? { parent: `a${depth - 1}` } : {});
      const verdict = Object.defineProperty({ ...spec.verdict }, 'agentId', { get: () => void looks++ });
      return [
        recordOf({ ...spec, verdict } as SpanSpec),
        recordOf(tool(`t${depth}`, { parent: `a${depth}` })),
      ];
    });
    const trace = { traceId: 'a'.repeat(32), segment: 1, context: [], missingParent: 'shared' } as const;
    expect(assembleRuns({ ...trace, spans: records.flat() }, DEFAULT_ASSEMBLE_OPTIONS)).toHaveLength(1_000);
    expect(looks).toBe(1_000);
  });
});
