import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { learn } from '../../src/cli/learn.ts';
import { captureFile } from '../support/captures.ts';
import { capturedOutputs } from './captured-outputs.ts';
import { type MadeSpan, spanRequest } from './span-request.ts';
import { workFolder } from './work-folder.ts';

async function* noInput(): AsyncGenerator<Uint8Array> {}

async function explained(file: string, json = false) {
  const outputs = capturedOutputs();
  await learn([file], { input: 'spans', store: 'memory:', explain: true, json }, outputs, noInput());
  return outputs;
}

function fileOf(spans: readonly MadeSpan[]): string {
  const file = join(workFolder(), 'spans.json');
  writeFileSync(file, JSON.stringify(spanRequest(spans)));
  return file;
}

const TOOL = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' };

describe('spanplan learn --explain', () => {
  it('shows each span in its place, what it was taken for and by which rule, and the run that came of it', async () => {
    const { stdout, stderr } = await explained(captureFile('ai7-otel-agent-multi'));
    expect(stderr).toBe('');
    expect(stdout.slice(0, stdout.indexOf('\n\n'))).toMatchInlineSnapshot(`
      "Trace 493cbdf78eddaac10487a58602f9a111, 21 spans
        SPAN                              TAKEN FOR  NAME          BY RULE
        invoke_agent gpt-4o-mini          agent      orchestrator  gen_ai.invoke_agent
          step 1                          step                     gen_ai.agent_step
            chat gpt-4o-mini              llm        chat          gen_ai.chat
            execute_tool analyst          tool       analyst       gen_ai.execute_tool
              invoke_agent gpt-4o-mini    agent      analyst       gen_ai.invoke_agent
                step 1                    step                     gen_ai.agent_step
                  chat gpt-4o-mini        llm        chat          gen_ai.chat
                  execute_tool weather    tool       weather       gen_ai.execute_tool
                  execute_tool summarize  tool       summarize     gen_ai.execute_tool
                step 2                    step                     gen_ai.agent_step
                  chat gpt-4o-mini        llm        chat          gen_ai.chat
            execute_tool researcher       tool       researcher    gen_ai.execute_tool
              invoke_agent gpt-4o-mini    agent      researcher    gen_ai.invoke_agent
                step 1                    step                     gen_ai.agent_step
                  chat gpt-4o-mini        llm        chat          gen_ai.chat
                  execute_tool fetch      tool       fetch         gen_ai.execute_tool
                  execute_tool search     tool       search        gen_ai.execute_tool
                step 2                    step                     gen_ai.agent_step
                  chat gpt-4o-mini        llm        chat          gen_ai.chat
          step 2                          step                     gen_ai.agent_step
            chat gpt-4o-mini              llm        chat          gen_ai.chat
        → run of orchestrator: 2 tool calls, 2 model calls; at the same time: analyst + researcher
        → run of analyst: 2 tool calls, 2 model calls; at the same time: summarize + weather
        → run of researcher: 2 tool calls, 2 model calls; at the same time: fetch + search"
    `);
  });

  it('goes to standard error where standard output is JSON', async () => {
    const { stdout, stderr } = await explained(captureFile('ai6-parallel'), true);
    expect(JSON.parse(stdout)).toHaveProperty('summary.runs', 1);
    expect(stderr).toContain('ai_sdk.toolCall');
  });

  it('marks what no primary source confirms', async () => {
    const span = {
      id: 1,
      name: 'claude_code.interaction',
      from: 0,
      to: 9,
      attributes: { 'span.type': 'interaction' },
    };
    const { stdout } = await explained(fileOf([span]));
    expect(stdout).toMatch(/claude_code\.interaction +agent +claude_code\.interaction +unverified$/m);
    expect(stdout).toContain('No tool or model was called, so there is no run.');
  });

  it('marks weak signs that did not count, as nothing surer was in the trace', async () => {
    const weak = { id: 1, name: 'Function: {name}', from: 0, to: 9, attributes: { name: 'lookup' } };
    const alone = await explained(fileOf([weak]));
    expect(alone.stdout).toMatch(/tool +lookup +span_name\.tool +weak: does not count/);
    const beside = await explained(fileOf([weak, { id: 2, from: 1, to: 5, attributes: TOOL }]));
    expect(beside.stdout).toMatch(/tool +lookup +span_name\.tool +weak$/m);
  });

  it('tells a layer of a call from a call', async () => {
    const outer = { id: 1, from: 0, to: 9, attributes: TOOL };
    const { stdout } = await explained(fileOf([outer, { ...outer, id: 2, parent: 1 }]));
    expect(stdout).toContain('part of the call search');
    expect(stdout).toContain('1 tool call,');
  });

  it('shows traces that are deeper than any screen is wide', async () => {
    const chain = Array.from({ length: 5_000 }, (_, at) => ({ id: at + 1, parent: at, from: at, to: 9_000 }));
    const { stdout } = await explained(fileOf(chain));
    expect(stdout).toContain('5,000 spans');
    const rows = stdout.split('\n').filter((line) => line.startsWith('  '));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThan(100);
  });
});
