import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributeNames } from '../../src/conventions/attribute-names.ts';
import { BUILT_IN_CONVENTIONS } from '../../src/conventions/built-in-conventions.ts';
import type { Convention } from '../../src/conventions/convention.ts';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { NumericSpan, plainSpan } from '../../src/model/numeric-span.ts';
import { UNRECOGNISED } from '../../src/model/shared-verdict.ts';
import type { Span } from '../../src/model/span.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { spanOf } from './span-of.ts';

const search = spanOf('execute_tool search', {
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'search',
});

function conventionOf(recognise: Convention['recognise'], name = 'own'): Convention {
  return { name, source: 'a test', attributes: ['own.kind'], recognise };
}

describe('precedence', () => {
  const { recognise } = createRecogniser();

  it('lets the first convention decide', () => {
    const span = spanOf('chat', { 'gen_ai.operation.name': 'chat', 'openinference.span.kind': 'CHAIN' });
    expect(recognise(span).rule).toBe('gen_ai.chat');
  });

  it('lets a tool beat the step that an earlier convention sees', () => {
    const span = spanOf('x', {
      'openinference.span.kind': 'CHAIN',
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'search',
    });
    expect(recognise(span)).toEqual({ role: 'tool', rule: 'traceloop.tool', name: 'search' });
  });

  it('keeps the step where all that speaks for a tool is the span name', () => {
    expect(recognise(spanOf('search.tool', { 'openinference.span.kind': 'CHAIN' })).rule).toBe(
      'openinference.CHAIN',
    );
  });

  it('lets an explicit tool name beat an agent', () => {
    const agent = {
      'openinference.span.kind': 'AGENT',
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'ask',
    };
    expect(recognise(spanOf('x', agent)).role).toBe('agent');
    expect(recognise(spanOf('x', { ...agent, 'gen_ai.tool.name': 'ask' })).role).toBe('tool');
  });

  it('lets nothing beat a drop', () => {
    const span = spanOf('x', {
      'logfire.span_type': 'pending_span',
      'openinference.span.kind': 'TOOL',
      'tool.name': 'search',
    });
    expect(recognise(span).rule).toBe('drop.logfire_marker');
  });

  it('shares one verdict between all spans that are nothing', () => {
    expect(recognise(spanOf('GET /'))).toBe(UNRECOGNISED);
    expect(recognise(spanOf('SELECT', { 'db.system': 'postgresql' }))).toBe(UNRECOGNISED);
  });
});

describe("the user's conventions", () => {
  it('are asked first and are final', () => {
    const step: Verdict = { role: 'step', rule: 'own.step' };
    const { recognise } = createRecogniser({ conventions: [conventionOf(() => step)] });
    expect(recognise(search)).toEqual(step);
  });

  it('leave what they do not know to the others', () => {
    const { recognise } = createRecogniser({ conventions: [conventionOf(() => undefined)] });
    expect(recognise(search).rule).toBe('gen_ai.execute_tool');
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['answers null', () => null],
    ['answers no role', () => ({ role: 'wizard', rule: 'x' })],
    ['names a tool by a number', () => ({ role: 'tool', rule: 'x', name: 7 })],
    ['forgets the name of a tool', () => ({ role: 'tool', rule: 'x' })],
  ])('say nothing, and are reported, where one %s', (_what, answer) => {
    const errors: string[] = [];
    const own = conventionOf(answer as Convention['recognise']);
    const { recognise } = createRecogniser({ conventions: [own], onError: (rule) => errors.push(rule) });
    expect(recognise(search).rule).toBe('gen_ai.execute_tool');
    expect(errors).toEqual(['own']);
  });

  it('do no harm through onError either', () => {
    const boom = () => {
      throw new Error('boom');
    };
    const { recognise } = createRecogniser({ conventions: [conventionOf(boom)], onError: boom });
    expect(recognise(search).name).toBe('search');
  });
});

describe("the user's rules", () => {
  it('get a span in numbers as an object that can be copied and printed', () => {
    const numeric = new NumericSpan('scope', search.resource, search.attributes);
    Object.assign(numeric, {
      traceId: search.traceId,
      name: search.name,
      kind: 1,
      flags: 0x300,
      statusCode: 2,
    });
    Object.assign(numeric, { spanHigh: -1, spanLow: 1, parentHigh: 0, parentLow: 0x10 });
    Object.assign(numeric, {
      startSeconds: 1_795_352_400,
      startNanos: 5,
      endSeconds: 1_795_352_401,
      endNanos: 0,
    });
    const seen: unknown[] = [];
    const note = (span: Span) => {
      seen.push({ ...span });
      return undefined;
    };
    const { recognise, agentOf } = createRecogniser({
      conventions: [conventionOf(note)],
      toolName: note,
      agentId: note,
    });
    recognise(numeric);
    agentOf(numeric);
    const plain: Span = {
      traceId: search.traceId,
      spanId: 'ffffffff00000001',
      parentSpanId: '0000000000000010',
      parentIsRemote: true,
      name: 'execute_tool search',
      kind: 1,
      start: [1_795_352_400, 5],
      end: [1_795_352_401, 0],
      isError: true,
      scopeName: 'scope',
      resource: search.resource,
      attributes: search.attributes,
    };
    expect(seen).toEqual([plain, plain, plain]);
    expect(plainSpan(numeric)).toEqual(plain);
  });
});

describe("the user's overrides", () => {
  it('name tools, and nothing else', () => {
    const { recognise } = createRecogniser({ toolName: (span) => `my ${span.name}` });
    expect(recognise(search).name).toBe('my execute_tool search');
    expect(recognise(spanOf('chat', { 'gen_ai.operation.name': 'chat' })).name).toBe('chat');
    expect(recognise(spanOf('GET /'))).toBe(UNRECOGNISED);
  });

  it.each<[string, () => string | undefined]>([
    ['nothing', () => undefined],
    ['a placeholder', () => ' N/A '],
    [
      'an error',
      () => {
        throw new Error('boom');
      },
    ],
    ['no text', () => 7 as unknown as string],
  ])('keep the name recognised where they answer %s', (_what, toolName) => {
    const recogniser = createRecogniser({ toolName, agentId: toolName });
    expect(recogniser.recognise(search).name).toBe('search');
    expect(recogniser.agentOf(search)).toBeUndefined();
  });

  it('name agents', () => {
    const { agentOf } = createRecogniser({ agentId: (span) => span.resource.serviceName });
    expect(agentOf(spanOf('x', {}, { serviceName: ' planner ' }))).toBe('planner');
    expect(createRecogniser().agentOf(search)).toBeUndefined();
  });

  it('have the attributes they read decoded', () => {
    const { attributes } = createRecogniser({
      attributes: ['tenant.*'],
      conventions: [conventionOf(() => undefined)],
    });
    expect(attributes.wants('tenant.agent')).toBe(true);
    expect(attributes.wants('own.kind')).toBe(true);
    expect(createRecogniser().attributes.wants('tenant.agent')).toBe(false);
  });
});

describe('names from outside', () => {
  it('are bounded wherever they stand in a verdict', () => {
    const long = 'n'.repeat(1_000);
    const tool = spanOf('x', {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': long,
      'gen_ai.tool.call.id': long,
      'gen_ai.agent.name': long,
    });
    const chat = spanOf('x', { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': long });
    const { recognise, agentOf } = createRecogniser({ agentId: () => long });
    const { name, callId, stampedAgent } = recognise(tool);
    for (const text of [name, callId, stampedAgent, recognise(chat).modelName, agentOf(chat)]) {
      expect(text).toMatch(/^n{243}~[0-9a-f]{12}$/);
    }
  });
});

describe('whatever a span holds', () => {
  const keys = [...new Set(BUILT_IN_CONVENTIONS.flatMap(({ attributes }) => attributes))].map((key) =>
    key.replace('*', '0.message.tool_calls.0'),
  );
  const words = [
    'tool',
    'TOOL',
    'agent',
    'chain',
    'execute_tool',
    'invoke_agent',
    'chat',
    'workflow',
    'ai.toolCall',
    'action',
    'flow',
    'tools/call',
    'TOOL_START',
    'unknown',
    'span',
    '',
  ];
  const value = fc.oneof(
    fc.constantFrom(...words),
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
    }),
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.constantFrom<unknown>(
      Symbol('x'),
      () => 'x',
      NaN,
      -1,
      2n ** 80n,
      '"'.repeat(70_000),
      '['.repeat(70_000),
      '{"a":'.repeat(20_000),
      '\ud800'.repeat(300),
    ),
  );
  const attributes = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 12 });
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'execute_tool x',
      'claude_code.tool',
      'running tools',
      'agent_run [x]',
      'haystack.agent.run',
      'Agent run: {name!r}',
      'x'.repeat(70_000),
    ),
    fc.constantFrom('', 'unknown', ' '),
  );
  const scopeName = fc.constantFrom(
    '',
    'gen_ai',
    '@traceloop/instrumentation-langchain',
    'logfire.openai_agents',
    'livekit-agents',
    'gcp.vertex.agent',
  );
  const anySpan = fc
    .record({ name, attributes, scopeName, parentSpanId: fc.constantFrom(undefined, '53995c3f42cd8ad8') })
    .map(({ name, attributes, ...rest }) => spanOf(name, attributes, rest));

  it('recognising it never throws and gives a verdict that can be kept', () => {
    const errors: string[] = [];
    const { recognise } = createRecogniser({ onError: (rule) => errors.push(rule) });
    fc.assert(
      fc.property(anySpan, (span) => {
        const { role, rule, weak, unverified, isMcp, isExecution, isFlat, mayBePrompt, ...details } =
          recognise(span);
        expect(['agent', 'workflow', 'tool', 'llm', 'step', 'none']).toContain(role);
        expect(rule).toMatch(/^[a-z_0-9]+(?:\.\w+)*$/i);
        if (role === 'tool' && !isExecution) expect(details.name).toBeTruthy();
        for (const detail of Object.values(details)) {
          if (detail === undefined) continue;
          if (typeof detail === 'number') expect(Number.isSafeInteger(detail) && detail >= 0).toBe(true);
          else expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(256);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(errors).toEqual([]);
  });

  it('is judged by its own name and scope, whatever spans with the same attributes came before', () => {
    const few = fc.record({
      name: fc.constantFrom('execute_tool x', 'haystack.agent.run', 'agent_turn', 'GET /'),
      scopeName: fc.constantFrom('', 'livekit-agents'),
      attributes: fc.constantFrom({}, { 'http.route': '/' }),
    });
    fc.assert(
      fc.property(fc.array(few, { minLength: 20, maxLength: 40 }), (spans) => {
        const { recognise } = createRecogniser();
        for (const { name, attributes, scopeName } of spans) {
          const span = spanOf(name, attributes, { scopeName });
          expect(recognise(span)).toEqual(createRecogniser().recognise(span));
        }
      }),
    );
  });

  it('no convention reads an attribute that it does not name', () => {
    fc.assert(
      fc.property(anySpan, fc.constantFrom(...BUILT_IN_CONVENTIONS), (span, convention) => {
        const { wants } = attributeNames([convention]);
        const named = Object.entries(span.attributes).filter(([key]) => wants(key));
        const bare = { ...span, attributes: Object.fromEntries(named) };
        expect(convention.recognise(span)).toEqual(convention.recognise(bare));
      }),
      { numRuns: 2_000 },
    );
  });

  it('no attribute is read that is not asked for', () => {
    const { recognise, attributes: names } = createRecogniser();
    fc.assert(
      fc.property(anySpan, (span) => {
        const read = new Set<string>();
        const watched = new Proxy(span.attributes, {
          get: (target, key) => {
            if (typeof key === 'string') read.add(key);
            return Reflect.get(target, key);
          },
        });
        recognise({ ...span, attributes: watched });
        expect([...read].filter((key) => !names.wants(key))).toEqual([]);
      }),
    );
  });

  it('attributes that throw when they are read are reported', () => {
    const errors: string[] = [];
    const { recognise } = createRecogniser({ onError: (rule) => errors.push(rule) });
    const attributes = {
      get 'gen_ai.operation.name'(): never {
        throw new Error('boom');
      },
      'openinference.span.kind': 'TOOL',
    };
    expect(recognise(spanOf('search', attributes)).rule).toBe('openinference.TOOL');
    expect(errors).toContain('gen_ai');
  });
});

describe('the built-in conventions', () => {
  it('have names of their own and say where they were read', () => {
    const names = BUILT_IN_CONVENTIONS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, source } of BUILT_IN_CONVENTIONS) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(source).not.toBe('');
    }
  });
});

it("a user's verdict is copied, as it may be used again for the next span", () => {
  const shared = { role: 'tool' as const, rule: 'own', name: '' };
  const reuses = conventionOf(({ name }) => Object.assign(shared, { name }));
  const { recognise } = createRecogniser({ conventions: [reuses] });
  const [first, second] = ['search', 'fetch'].map((name) => recognise(spanOf(name, {})));
  expect([first?.name, second?.name]).toEqual(['search', 'fetch']);
});
