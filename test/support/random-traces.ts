import fc from 'fast-check';
import type { SpanRole, Verdict } from '../../src/model/verdict.ts';
import type { SpanSpec } from './spans.ts';

/** What a random span of a trace is made of; `parent` picks among all spans, so cycles happen. */
interface Draft {
  readonly role: SpanRole;
  readonly parent: { readonly kind: string; readonly pick: number };
  readonly from: number;
  readonly length: number | undefined;
  readonly process: string;
  readonly verdict: Partial<Verdict>;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  role: fc.oneof(
    { weight: 9, arbitrary: fc.constant<SpanRole>('tool') },
    { weight: 5, arbitrary: fc.constantFrom<SpanRole>('agent', 'workflow', 'llm', 'step', 'none') },
  ),
  parent: fc.record({
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant('first') },
      { weight: 8, arbitrary: fc.constant('earlier') },
      { weight: 3, arbitrary: fc.constantFrom('any', 'none', 'missing', 'remote') },
    ),
    pick: fc.nat(),
  }),
  from: fc.integer({ min: 0, max: 40 }),
  length: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 10, max: 60 }) },
    { weight: 5, arbitrary: fc.integer({ min: -3, max: 10 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  process: fc.constantFrom('one', 'one', 'one', 'two'),
  verdict: fc.record(
    {
      name: fc.constantFrom('search', 'fetch', 'mcp__web__search', 'weather'),
      frameworkName: fc.constantFrom('planner', 'writer'),
      stampedAgent: fc.constantFrom('planner', 'writer'),
      agentId: fc.constantFrom('agent-7', '0a1b2c3d4e5f60718293'),
      callId: fc.constantFrom('call-1', 'call-2', 'call-3'),
      weak: fc.constant<true>(true),
      isMcp: fc.constant<true>(true),
      isExecution: fc.constant<true>(true),
      mayBePrompt: fc.constant<true>(true),
      isFlat: fc.constant<true>(true),
    },
    { requiredKeys: [] },
  ),
});

/** Most traces are tame; some have every trait at once. */
function verdictOf({ role, verdict }: Draft, index: number): Verdict {
  const { name, frameworkName, agentId, stampedAgent, weak, ...marks } = verdict;
  const isCall = role === 'tool' || role === 'llm';
  return {
    role,
    rule: `test.${role}`,
    ...(role === 'tool' && { name: name ?? `tool-${index % 4}` }),
    ...(!isCall && name !== undefined && index % 2 === 0 && { name }),
    ...(frameworkName !== undefined && !isCall && { frameworkName }),
    ...(stampedAgent !== undefined && isCall && { stampedAgent }),
    ...(agentId !== undefined && { agentId }),
    ...(weak && index % 3 === 0 && { weak }),
    ...(role === 'tool' && index % 2 === 1 && marks),
  };
}

function traceOf(trace: string, drafts: readonly Draft[]): readonly SpanSpec[] {
  return drafts.map((span, index) => {
    const { kind, pick } = span.parent;
    const first = index === 0 ? undefined : 's0';
    const earlier = index === 0 ? undefined : `s${pick % index}`;
    const parents: Readonly<Record<string, string | undefined>> = {
      first,
      earlier,
      any: `s${pick % drafts.length}`,
      missing: `gone${pick % 2}`,
      remote: `far${pick % 2}`,
    };
    return {
      trace,
      id: `s${index}`,
      parent: parents[kind],
      parentIsRemote: kind === 'remote' ? true : undefined,
      from: span.from,
      to: span.length === undefined ? undefined : span.from + span.length,
      process: span.process,
      service: `service-${span.process}`,
      verdict: verdictOf(span, index),
    };
  });
}

/** Agents in agents, agents as tools, layers, twins, flat emitters, orphans, cycles, several roots and processes. */
export const randomTrace: fc.Arbitrary<readonly SpanSpec[]> = fc
  .array(draft, { minLength: 1, maxLength: 18 })
  .map((drafts) => traceOf('a', drafts));

export const randomTraces: fc.Arbitrary<readonly SpanSpec[]> = fc
  .tuple(fc.array(draft, { minLength: 1, maxLength: 14 }), fc.array(draft, { maxLength: 8 }))
  .map(([first, second]) => [...traceOf('a', first), ...traceOf('b', second)]);
