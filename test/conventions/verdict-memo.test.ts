import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judge } from '../../src/conventions/handed-on.ts';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { Recognition } from '../../src/conventions/verdict.ts';
import { MemoSpace, VerdictMemo } from '../../src/conventions/verdict-memo.ts';
import { isShared } from '../../src/model/shared-verdict.ts';
import type { Span } from '../../src/model/span.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { CAPTURE_NAMES } from '../support/captures.ts';
import { recordedSpans } from './recorded-spans.ts';
import { spanOf } from './span-of.ts';

/** A span with these fields, and some of its own for the others. */
function spanWith({ name = 'a span', attributes, ...rest }: Partial<Span>): Span {
  return spanOf(name, attributes, rest);
}

const isAgent: Judge = () => ({ role: 'agent', rule: 'x' });

/** Judges by a memo, and counts how often the judge was asked. */
function memoOf(judge: Judge) {
  const memo = new VerdictMemo(new MemoSpace());
  const asked = { times: 0 };
  const counting: Judge = (span, isAgain) => {
    asked.times++;
    return judge(span, isAgain);
  };
  const found = new Recognition();
  const verdictOf = (span: Span): Verdict | undefined =>
    memo.find(span, found) ? found.whole : memo.learn(span, counting);
  return { asked, verdictOf };
}

const toolOf: Judge = ({ attributes }) => ({
  role: 'tool',
  rule: 'x',
  name: String(attributes.tool),
  callId: typeof attributes.id === 'string' ? attributes.id : undefined,
});

/** The prompt's tokens are those that are cached and the others. */
const modelOf: Judge = ({ attributes: { input, output, cached } }) => ({
  role: 'llm',
  rule: 'x',
  promptTokens: Number(input) + Number(cached),
  outputTokens: typeof output === 'number' && output >= 0 ? output : undefined,
});

describe('VerdictMemo', () => {
  it('hands out one verdict for all spans that are alike', () => {
    const { asked, verdictOf } = memoOf(({ attributes }) => ({ role: 'llm', rule: String(attributes.op) }));
    const first = verdictOf(spanWith({ attributes: { op: 'chat', seed: 1 } }));
    const second = verdictOf(spanWith({ attributes: { op: 'chat', seed: 2 } }));
    const third = verdictOf(spanWith({ attributes: { op: 'chat', seed: 3 } }));
    expect([first, second]).toEqual(Array(2).fill({ role: 'llm', rule: 'chat' }));
    expect(third).toBe(second);
    // The first span's own is counted as its own.
    expect([first, second].map((verdict) => verdict && isShared(verdict))).toEqual([false, true]);
    expect(asked.times).toBe(1);
    expect(verdictOf(spanWith({ attributes: { op: 'embed', seed: 1 } }))).toEqual({
      role: 'llm',
      rule: 'embed',
    });
  });

  it.each([
    ['name', { name: 'other' }],
    ['scope', { scopeName: 'other' }],
    ['kind', { kind: 3 }],
  ] as const)('asks again for another %s', (_, other) => {
    const { asked, verdictOf } = memoOf(isAgent);
    verdictOf(spanWith({}));
    verdictOf(spanWith(other));
    expect(asked.times).toBe(2);
  });

  it('gives each call its own id', () => {
    const { asked, verdictOf } = memoOf(toolOf);
    const ids = ['call_1', 'call_2', '7', 'call_2'].map(
      (id) => verdictOf(spanWith({ attributes: { tool: 'search', id } }))?.callId,
    );
    expect(ids).toEqual(['call_1', 'call_2', '7', 'call_2']);
    // Once for the verdict, and once to see that the id is only handed on.
    expect(asked.times).toBe(2);
    expect(verdictOf(spanWith({ attributes: { tool: 'search', id: 'none' } }))?.callId).toBe('none');
    expect(asked.times).toBe(4);
  });

  it('gives each model call its own counts', () => {
    const { asked, verdictOf } = memoOf(modelOf);
    const countsOf = (input: unknown, output: unknown) => {
      const verdict = verdictOf(spanWith({ attributes: { input, output, cached: 3 } }));
      return [verdict?.promptTokens, verdict?.outputTokens, verdict?.totalTokens];
    };
    expect(countsOf(700, 80)).toEqual([703, 80, undefined]);
    // Once for the verdict, and once to see which counts are only handed on: the prompt's are added up.
    expect(asked.times).toBe(2);
    expect(countsOf(700, 81)).toEqual([703, 81, undefined]);
    expect(asked.times).toBe(2);
    expect(countsOf(701, 81)).toEqual([704, 81, undefined]);
    expect(asked.times).toBe(4);
    expect(countsOf(700, 82)).toEqual([703, 82, undefined]);
    expect(asked.times).toBe(4);
  });

  it.each<[string, unknown]>([
    ['none', 0],
    ['a fraction', 1.5],
    ['below zero', -1],
    ['too large to be exact', 2 ** 53],
    ['a text', '81'],
    ['no number', Number.NaN],
  ])('asks again where a count is %s', (_, output) => {
    const { asked, verdictOf } = memoOf(modelOf);
    verdictOf(spanWith({ attributes: { input: 700, output: 80, cached: 3 } }));
    const span = spanWith({ attributes: { input: 700, output, cached: 3 } });
    expect(verdictOf(span)).toEqual(modelOf(span));
    expect(asked.times).toBeGreaterThan(2);
  });

  it('does not take one count for another that it was equal to', () => {
    const { verdictOf } = memoOf(({ attributes: { input, output } }) => {
      return { role: 'llm', rule: 'x', promptTokens: Number(input), outputTokens: Number(output) };
    });
    const countsOf = (input: number, output: number) => {
      const verdict = verdictOf(spanWith({ attributes: { input, output } }));
      return [verdict?.promptTokens, verdict?.outputTokens];
    };
    const pairs: readonly (readonly [number, number])[] = [
      [5, 5],
      [5, 6],
      [6, 5],
      [5, 5],
    ];
    for (const [input, output] of pairs) expect(countsOf(input, output)).toEqual([input, output]);
  });

  it.each<[string, Judge]>([
    [
      'decides more than the id',
      (span) => ({ ...toolOf(span), rule: String(span.attributes.id).slice(0, 5) }),
    ],
    ['is the id only in part', (span) => ({ ...toolOf(span), callId: `call of ${span.attributes.id}` })],
    ['is the name, too', (span) => ({ ...toolOf(span), name: String(span.attributes.id) })],
  ])('asks again for each value of an attribute that %s', (_, judge) => {
    const { verdictOf } = memoOf(judge);
    for (const id of ['call_1', 'call_2', 'call_3', 'call_1']) {
      const span = spanWith({ attributes: { tool: 'search', id } });
      expect(verdictOf(span)).toEqual(judge(span));
    }
  });

  it.each<[string, Judge]>([
    ['at another field', (span) => ({ role: 'agent', rule: span.parentSpanId ?? '' })],
    ['at each attribute', ({ attributes }) => ({ role: 'agent', rule: JSON.stringify({ ...attributes }) })],
    ['at an object', ({ attributes }) => ({ role: 'agent', rule: String(attributes.list) })],
    ['at a long text', ({ attributes }) => ({ role: 'agent', rule: String(attributes.prompt).slice(0, 3) })],
    [
      'at content',
      ({ attributes }) => ({ role: 'agent', rule: String(attributes['traceloop.entity.output']) }),
    ],
  ])('remembers nothing where the judge looks %s', (_, judge) => {
    const { asked, verdictOf } = memoOf(judge);
    const span = spanWith({
      attributes: { a: 1, list: ['x'], prompt: 'x'.repeat(97), 'traceloop.entity.output': '{}' },
    });
    for (let time = 1; time <= 3; time++) {
      expect(verdictOf(span)).toEqual(judge(span));
      expect(asked.times).toBe(time);
    }
  });

  it('tells an attribute that is there without a value from one that has one', () => {
    const judge: Judge = ({ attributes }) => ({ role: 'agent', rule: String(attributes.a) });
    const { verdictOf } = memoOf(judge);
    for (const a of [undefined, null, 'undefined', undefined]) {
      const span = spanWith({ attributes: { a } });
      expect(verdictOf(span)).toEqual(judge(span));
    }
  });

  it.each<[string, Judge]>([
    [
      'which attributes there are',
      ({ attributes }) => ({ role: 'agent', rule: Object.keys(attributes).join() }),
    ],
    ['whether there is one', ({ attributes }) => ({ role: 'agent', rule: String('a' in attributes) })],
    [
      'for one of many',
      ({ attributes }) => {
        for (const name in attributes)
          if (name === 'a') return { role: 'agent', rule: String(attributes[name]) };
        return { role: 'none', rule: 'x' };
      },
    ],
  ])('remembers where the judge looks %s, which is the same for all', (_, judge) => {
    const { asked, verdictOf } = memoOf(judge);
    for (const prompt of ['x'.repeat(200), 'y'.repeat(200)]) {
      const span = spanWith({ attributes: { prompt, a: 1 } });
      expect(verdictOf(span)).toEqual(judge(span));
    }
    expect(asked.times).toBe(1);
  });

  it('gives up where spans mostly differ, goes on where verdicts are found, and tries again now and then', () => {
    const { verdictOf } = memoOf(({ attributes }) => ({ role: 'llm', rule: String(attributes.tokens) }));
    const isLearned = (tokens: number) => verdictOf(spanWith({ attributes: { tokens } })) !== undefined;
    const learned = Array.from({ length: 100 }, (_, tokens) => tokens).filter(isLearned);
    expect(learned).toHaveLength(64);
    for (let time = 0; time < 32; time++) isLearned(63);
    expect([1_000, 1_001].map(isLearned)).toEqual([true, false]);
    const later = Array.from({ length: 600 }, (_, index) => 2_000 + index).filter(isLearned);
    expect(later).toHaveLength(2);
  });

  it('does not take up again what it gave up where all is forgotten', () => {
    const space = new MemoSpace();
    const memo = new VerdictMemo(space);
    const other = new VerdictMemo(space);
    const learned = (from: number) => {
      const names = Array.from({ length: 100 }, (_, index) => `${from + index}`);
      return names.filter((name) => memo.learn(spanWith({ name }), isAgent) !== undefined).length;
    };
    expect(learned(0)).toBe(64);
    for (let taken = 64; taken <= 4_096; taken++) space.take(other);
    expect(memo.find(spanWith({ name: '0' }), new Recognition())).toBe(false);
    expect(learned(100)).toBe(0);
  });

  it('tells of a fault once', () => {
    const told: (boolean | undefined)[] = [];
    const { verdictOf } = memoOf((span, isAgain) => {
      told.push(isAgain);
      return toolOf(span);
    });
    verdictOf(spanWith({ attributes: { tool: 'search', id: 'call_1' } }));
    expect(told).toEqual([undefined, true]);
  });

  it('remembers no name that is long', () => {
    const { asked, verdictOf } = memoOf(isAgent);
    for (let time = 0; time < 2; time++) verdictOf(spanWith({ name: 'n'.repeat(257) }));
    expect(asked.times).toBe(0);
  });

  it('remembers eight verdicts of a name', () => {
    const { asked, verdictOf } = memoOf(({ attributes }) => ({
      role: 'llm',
      rule: String(attributes.tokens),
    }));
    for (const tokens of [0, 1, 2, 3, 4, 5, 6, 7, 8]) verdictOf(spanWith({ attributes: { tokens } }));
    verdictOf(spanWith({ attributes: { tokens: 1 } }));
    expect(asked.times).toBe(9);
    verdictOf(spanWith({ attributes: { tokens: 0 } }));
    expect(asked.times).toBe(10);
  });

  it('remembers every tool where an attribute names it, and eight verdicts of each', () => {
    const { asked, verdictOf } = memoOf((span) => ({ ...toolOf(span), rule: String(span.attributes.way) }));
    const call = (tool: string, way: number) => verdictOf(spanWith({ attributes: { tool, way } }));
    const tools = Array.from({ length: 30 }, (_, n) => `tool ${n}`);
    for (const tool of tools) call(tool, 0);
    expect(tools.map((tool) => call(tool, 0)?.name)).toEqual(tools);
    expect(asked.times).toBe(30);
    for (const way of [1, 2, 3, 4, 5, 6, 7, 8, 1]) call('tool 3', way);
    expect(asked.times).toBe(38);
    call('tool 3', 0);
    expect(asked.times).toBe(39);
    call('tool 4', 0);
    expect(asked.times).toBe(39);
  });

  it('tells tools apart by what names them, whatever else had their name before', () => {
    const judge: Judge = (span) => {
      const { op, tool } = span.attributes;
      return op === 'chat'
        ? { role: 'llm', rule: 'x', name: op }
        : { role: 'tool', rule: 'x', name: String(tool) };
    };
    const { asked, verdictOf } = memoOf(judge);
    const call = (op: string, tool: string) => verdictOf(spanWith({ attributes: { op, tool } }))?.name;
    expect(call('chat', '')).toBe('chat');
    // Its name is that of the operation, too.
    expect(call('execute', 'execute')).toBe('execute');
    const tools = Array.from({ length: 12 }, (_, n) => `tool ${n}`);
    for (const tool of tools) call('execute', tool);
    expect(tools.map((tool) => call('execute', tool))).toEqual(tools);
    expect(asked.times).toBe(14);
  });

  it('does not keep what stands in place of a tool that nobody asked for', () => {
    const judge: Judge = (span) => (span.attributes.op === 'tool' ? toolOf(span) : isAgent(span));
    const { asked, verdictOf } = memoOf(judge);
    verdictOf(spanWith({ attributes: { op: 'tool', tool: 'search' } }));
    const others = [['content'], 'x'.repeat(97), 'search'].map((tool) =>
      spanWith({ attributes: { op: 'other', tool } }),
    );
    for (const other of [...others, ...others]) expect(verdictOf(other)).toEqual(judge(other));
    // Those of the first two are made each time.
    expect(asked.times).toBe(6);
  });

  it('forgets all, of whatever shape, when there is no more room', () => {
    const space = new MemoSpace();
    const memos = Array.from({ length: 65 }, () => new VerdictMemo(space));
    const known = () => memos.filter((memo) => memo.find(spanWith({ name: '0' }), new Recognition())).length;
    for (const memo of memos.slice(0, 64)) {
      for (let name = 0; name < 64; name++) memo.learn(spanWith({ name: String(name) }), isAgent);
    }
    expect(known()).toBe(64);
    memos.at(64)?.learn(spanWith({ name: '0' }), isAgent);
    expect(known()).toBe(1);
  });
});

describe('a recogniser that remembers', () => {
  const recorded = CAPTURE_NAMES.flatMap((name) => recordedSpans(name));
  const { recognise } = createRecogniser();
  const id = fc.oneof(
    fc.constantFrom('', 'none', '1', ' padded ', 'x'.repeat(300), 'toolu_01', '\ud800'),
    fc.uuid(),
    fc.string(),
  );
  const value = fc.oneof(
    id,
    fc.constantFrom('tool', 'agent', 'chat', 'TOOL', 'LLM', 'execute_tool', 'tools/call'),
    fc.nat(),
    fc.constantFrom(0, -1, 1.5, 2 ** 53, '12', 12n, 80),
    fc.boolean(),
    fc.constant(undefined),
    fc.constant(['x']),
  );

  it('says of every span what one says that has seen no other', () => {
    let remembered = 0;
    const changed = fc
      .record({
        span: fc.constantFrom(...recorded),
        at: fc.nat(),
        value,
        name: fc.option(fc.constantFrom('tool', 'execute_tool search', 'chat')),
        scopeName: fc.option(fc.constantFrom('gen_ai', 'openlit', 'other')),
      })
      .map(({ span, at, value, name, scopeName }): Span => {
        const keys = Object.keys(span.attributes);
        const key = keys[at % Math.max(1, keys.length)] ?? 'none';
        return spanWith({
          ...span,
          name: name ?? span.name,
          scopeName: scopeName ?? span.scopeName,
          attributes: { ...span.attributes, [key]: value },
        });
      });
    fc.assert(
      fc.property(fc.constantFrom(...recorded), changed, (plain, other) => {
        for (const span of [plain, plain, other, plain, other]) {
          const verdict = recognise(span);
          if (isShared(verdict)) remembered++;
          expect(verdict).toEqual(createRecogniser().recognise(span));
        }
      }),
      { numRuns: 300 },
    );
    expect(remembered).toBeGreaterThan(100);
  });

  it('says of every model call what one says that has seen no other, whatever its counts are', () => {
    const isTokens = (key: string) => key.includes('token');
    const models = recorded.filter((span) => Object.keys(span.attributes).some(isTokens));
    expect(models.length).toBeGreaterThan(20);
    const count = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
      { weight: 1, arbitrary: value },
    );
    const counts = fc.array(fc.array(count, { minLength: 1, maxLength: 8 }), { minLength: 4, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...models), counts, (model, rounds) => {
        for (const round of rounds) {
          const changed = Object.keys(model.attributes)
            .filter(isTokens)
            .map((key, index) => [key, round[index % round.length]]);
          const span = spanWith({
            ...model,
            attributes: { ...model.attributes, ...Object.fromEntries(changed) },
          });
          expect(recognise(span)).toEqual(createRecogniser().recognise(span));
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, Record<string, unknown>]>([
    [
      'inherited',
      Object.create({ 'my.span.kind': 'TOOL', 'my.event_type': 'TOOL_START', 'my.subspan.name': 'search' }),
    ],
    [
      'of a class',
      new (class {
        [name: string]: unknown;
        'gen_ai.operation.name' = 'chat';
        get 'gen_ai.request.model'() {
          return 'model-large';
        }
      })(),
    ],
  ])('takes attributes that are %s as they are, whatever came before', (_, attributes) => {
    const expected = createRecogniser().recognise(spanWith({ attributes }));
    for (let time = 0; time < 3; time++) recognise(spanWith({ attributes: { ...attributes } }));
    for (let time = 0; time < 100; time++) expect(recognise(spanWith({ attributes }))).toEqual(expected);
  });

  it('keeps no text alive for a part of it', async () => {
    const { href } = new URL('../../src/conventions/recognise.ts', import.meta.url);
    const script = `
      const { createRecogniser } = await import(${JSON.stringify(href)});
      const { recognise } = createRecogniser();
      for (let shape = 0; shape < 50; shape++) {
        const big = String(shape).padStart(2, '0').repeat(2 ** 20);
        const attributes = {
          'gen_ai.operation.name': 'chat', 'gen_ai.request.model': big.slice(0, 40), ['own.' + shape]: 1,
        };
        const span = { name: big.slice(0, 50), scopeName: big.slice(0, 60), kind: 1, attributes };
        for (let time = 0; time < 3; time++) recognise(span);
      }
      globalThis.gc();
      console.log(process.memoryUsage().heapUsed);`;
    const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(Number(stdout)).toBeLessThan(40 * 2 ** 20);
  });

  it('tells once of a rule that failed, and never throws', () => {
    const failed: string[] = [];
    const { recognise: recogniseOnce } = createRecogniser({ onError: (rule) => failed.push(rule) });
    const throwing = (name: string, attributes: object) => {
      const get = () => {
        throw new Error('it throws');
      };
      return spanWith({
        attributes: Object.defineProperty({ ...attributes }, name, { enumerable: true, get }),
      });
    };
    const call = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 't',
      'gen_ai.tool.call.id': 'c',
    };
    const met = { ...call, 'pydantic_ai.tool.failure_stage': '' };
    recogniseOnce(spanWith({ attributes: met }));
    expect(recogniseOnce(throwing('pydantic_ai.tool.failure_stage', call)).name).toBe('t');
    expect(failed).toEqual(['drop']);
    const agent = { 'gen_ai.operation.name': 'invoke_agent', 'langfuse.observation.type': 'tool' };
    expect(recogniseOnce(throwing('tool.name', agent)).role).toBe('agent');
  });

  it('takes attributes that throw when they are read again', () => {
    let reads = 0;
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      get 'gen_ai.tool.name'() {
        if (reads++ > 0) throw new Error('read twice');
        return 'search';
      },
    };
    recognise(
      spanWith({ attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'met' } }),
    );
    expect(recognise(spanWith({ attributes })).role).toBeDefined();
    expect(recognise(spanWith({ attributes })).role).toBeDefined();
  });
});
