import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const SOURCE = new URL('../../src/', import.meta.url);

/** What a verdict keeps alive, in bytes a span, where each span holds a text of its own of 60,000 units. */
async function keptBytes(makeSpan: string, options = '{}'): Promise<number> {
  const script = `
    const { createRecogniser } = await import(${JSON.stringify(new URL('conventions/recognise.ts', SOURCE).href)});
    const { recognise, agentOf } = createRecogniser(${options});
    const makeSpan = ${makeSpan};
    const kept = [];
    for (let index = 0; index < 600; index++) {
      const pad = (unit) => unit.repeat(60_000);
      const name = 'a_name_of_its_own_' + index;
      const made = { name: 'x', scopeName: 'y', kind: 1, attributes: {}, ...makeSpan(name, pad) };
      // As it comes from the wire or from a user: one flat text.
      for (const [key, text] of Object.entries(made.attributes)) made.attributes[key] = Buffer.from(text).toString();
      made.name = Buffer.from(made.name).toString();
      const found = recognise(made);
      if (!JSON.stringify([found, agentOf(made)]).includes(name)) throw new Error(JSON.stringify(found));
      kept.push(found, agentOf(made));
      if (index === 99) { globalThis.gc(); before = process.memoryUsage().heapUsed; }
    }
    var before;
    globalThis.gc();
    console.log((process.memoryUsage().heapUsed - before) / 500, kept.length);`;
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout.split(' ')[0]);
}

const TOOL = "'gen_ai.operation.name': 'execute_tool'";

// The engine keeps the whole of a text for any part of it, and a buffered span is kept for an hour.
describe('a verdict keeps nothing alive of', () => {
  it.each([
    ['a span name with blanks', "(name, pad) => ({ name: 'execute_tool ' + name + pad(' ') })"],
    [
      'a tool name with blanks',
      `(name, pad) => ({ attributes: { ${TOOL}, 'gen_ai.tool.name': pad(' ') + name } })`,
    ],
    [
      'the id of a call with blanks',
      `(name, pad) => ({ attributes: { ${TOOL}, 'gen_ai.tool.name': 't', 'gen_ai.tool.call.id': name + pad(' ') } })`,
    ],
    [
      'what a tool answered',
      `(name, pad) => ({ scopeName: '@traceloop/instrumentation-langchain', attributes: {
        'traceloop.span.kind': 'tool', 'traceloop.entity.name': 'DynamicStructuredTool',
        'traceloop.entity.output': JSON.stringify({ kwargs: { name, tool_call_id: 'of_' + name, content: pad('x') } }),
      } })`,
    ],
    [
      'metadata of LangChain',
      `(name, pad) => ({ name: 'LangGraph', scopeName: 'openinference.instrumentation.langchain', attributes: {
        'openinference.span.kind': 'AGENT', metadata: JSON.stringify({ lc_agent_name: name, content: pad('x') }),
      } })`,
    ],
  ])('%s', async (_, makeSpan) => {
    expect(await keptBytes(makeSpan)).toBeLessThan(5_000);
  });

  it.each([
    [
      'convention',
      "{ conventions: [{ name: 'own', attributes: ['*'], recognise: (s) => ({ role: 'tool', rule: 'r', name: s.name.slice(0, 25), attributes: s.attributes }) }] }",
    ],
    ['toolName', `{ toolName: (s) => s.name.slice(0, 25) }`],
    ['agentId', `{ agentId: (s) => s.name.slice(0, 25) }`],
  ])("what a user's %s takes a part of", async (_, options) => {
    const makeSpan = `(name, pad) => ({ name: name.padEnd(25) + pad('x'), attributes: { ${TOOL}, 'gen_ai.tool.name': 't' } })`;
    expect(await keptBytes(makeSpan, options)).toBeLessThan(5_000);
  });
});
