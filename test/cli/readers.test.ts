import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showAgents } from '../../src/cli/agents.ts';
import { forget } from '../../src/cli/forget.ts';
import { learn } from '../../src/cli/learn.ts';
import { showPlan } from '../../src/cli/plan.ts';
import { showRuns } from '../../src/cli/runs.ts';
import { parseRunRecord } from '../../src/model/run-record-json.ts';
import { captureFile } from '../support/captures.ts';
import { type CapturedOutputs, capturedOutputs } from './captured-outputs.ts';
import { spanplan } from './cli-process.ts';
import { spanRequest } from './span-request.ts';
import { workFolder } from './work-folder.ts';

async function* noInput(): AsyncGenerator<Uint8Array> {}

/** A store with what two recordings, and an agent that does one thing at a time, have taught. */
async function filledStore(): Promise<string> {
  const folder = workFolder();
  const store = `lmdb:${join(folder, 'store')}`;
  const serial = spanRequest([
    {
      id: 1,
      name: 'a',
      from: 0,
      to: 9,
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'serial' },
    },
    {
      id: 2,
      parent: 1,
      from: 1,
      to: 4,
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'x' },
    },
  ]);
  writeFileSync(join(folder, 'serial.json'), JSON.stringify(serial));
  const files = [
    captureFile('ai7-otel-sametool-parallel'),
    captureFile('ai6-parallel'),
    join(folder, 'serial.json'),
  ];
  await learn(files, { input: 'spans', store }, capturedOutputs(), noInput());
  return store;
}

async function shown(command: (outputs: CapturedOutputs) => Promise<void>): Promise<string> {
  const outputs = capturedOutputs();
  await command(outputs);
  expect(outputs.stderr).toBe('');
  return outputs.stdout;
}

describe('spanplan plan', () => {
  it('shows the maximal sets, how many runs had exactly them, and when', async () => {
    const store = await filledStore();
    expect(await shown((outputs) => showPlan('research-agent', { store }, outputs))).toMatchInlineSnapshot(`
      "research-agent
        RUNS  LAST SEEN             TOOLS AT THE SAME TIME
           1  2026-11-22 13:37 UTC  fetch + search + weather
           1  2026-11-22 13:36 UTC  fetch + search ×2
           1  2026-11-22 13:36 UTC  search + summarize
        and 1 smaller set inside of these
      "
    `);
  });

  it('shows all agents, those without a plan too', async () => {
    const store = await filledStore();
    const text = await shown((outputs) => showPlan(undefined, { store }, outputs));
    expect(text).toContain('research-agent\n');
    expect(text).toContain('serial\n  has no plan: no two of its tools were seen running at the same time\n');
  });

  it('prints stored plans as JSON: one as it is, all by agent, null for an agent without', async () => {
    const store = await filledStore();
    const json = async (agent?: string) =>
      JSON.parse(await shown((outputs) => showPlan(agent, { store, json: true }, outputs)));
    const all = await json();
    expect(Object.keys(all)).toEqual(['research-agent']);
    expect(all['research-agent']).toMatchObject({ agent_id: 'research-agent' });
    expect(await json('research-agent')).toEqual(all['research-agent']);
    expect(await json('serial')).toBeNull();
  });

  it('names the known agents where one is unknown', async () => {
    const store = await filledStore();
    await expect(showPlan('nobody', { store }, capturedOutputs())).rejects.toMatchObject({
      exitStatus: 1,
      message: expect.stringMatching(/no agent "nobody" .* It knows research-agent and serial\./),
    });
  });

  it('says how to fill an empty store, and makes none', async () => {
    const cwd = workFolder();
    const all = await spanplan(['plan'], { cwd });
    expect(all).toMatchObject({ status: 0, stdout: expect.stringContaining('spanplan learn traces.json') });
    const one = await spanplan(['plan', 'planner'], { cwd });
    expect(one).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('spanplan learn traces.json'),
    });
    expect(existsSync(join(cwd, '.spanplan'))).toBe(false);
  });
});

describe('spanplan agents', () => {
  it('lists what is known of each agent', async () => {
    const store = await filledStore();
    expect(await shown((outputs) => showAgents({ store }, outputs))).toMatchInlineSnapshot(`
      "  AGENT           TOOLS  GROUPS  LAST SEEN
        research-agent      4       4  2026-11-22 13:37 UTC
        serial              0       0  –
      "
    `);
    expect(JSON.parse(await shown((outputs) => showAgents({ store, json: true }, outputs)))).toEqual([
      {
        agent_id: 'research-agent',
        tools: 4,
        groups: 4,
        last_seen: expect.stringMatching(/^2026-11-22T.*Z$/),
      },
      { agent_id: 'serial', tools: 0, groups: 0 },
    ]);
  });
});

describe('spanplan runs', () => {
  it('draws a timeline for each run', async () => {
    const store = await filledStore();
    expect(await shown((outputs) => showRuns('research-agent', { store }, outputs))).toMatchInlineSnapshot(`
      "11336dd7-8ce4-5453-a0fc-c509aae04828  2026-11-22 13:36 UTC, 444 ms, 5 tool calls, 3 model calls
        chat       ░░░░░░░░░·······································   82 ms
        fetch      ·········█████████······························   81 ms
        search     ·········██████████████·························  121 ms
        search     ·········██████████████·························  121 ms
        chat       ·······················░░░░░····················   50 ms
        search     ····························██████████████······  123 ms
        summarize  ····························██████··············   51 ms
        chat       ··········································░░░░░░   55 ms

      17b5ccf9-d369-52c1-9789-cc401641229c  2026-11-22 13:37 UTC, 350 ms, 4 tool calls, 3 model calls
        ai.generateText.doGenerate  ·░░░░░░░░░░·····································   72 ms
        search                      ···········████████████████·····················  121 ms
        fetch                       ···········███████████··························   81 ms
        weather                     ···········██████████████·······················  101 ms
        ai.generateText.doGenerate  ····························░░░░░░··············   46 ms
        summarize                   ··································███████·······   51 ms
        ai.generateText.doGenerate  ·········································░░░░░░░   48 ms
      "
    `);
  });

  it('prints RunRecords as JSON, and only the newest where asked', async () => {
    const store = await filledStore();
    const runs = async (last?: number) => {
      const options = { store, json: true, ...(last !== undefined && { last }) };
      return JSON.parse(await shown((outputs) => showRuns('research-agent', options, outputs)));
    };
    const all = await runs();
    expect(all.map((run: unknown) => parseRunRecord(run).agentId)).toEqual([
      'research-agent',
      'research-agent',
    ]);
    expect(await runs(1)).toEqual(all.slice(1));
  });

  it('fails for an agent that is unknown', async () => {
    const store = await filledStore();
    await expect(showRuns('nobody', { store }, capturedOutputs())).rejects.toThrow(
      /It knows research-agent and serial/,
    );
  });
});

describe('spanplan forget', () => {
  it('deletes all of an agent and says what that was', async () => {
    const store = await filledStore();
    const said = await shown((outputs) => forget('research-agent', { store }, outputs));
    expect(said).toContain('Forgot research-agent: a plan of 4 groups and 2 run records');
    expect(await shown((outputs) => showPlan(undefined, { store, json: true }, outputs))).toBe('{}\n');
    await expect(forget('research-agent', { store }, capturedOutputs())).rejects.toThrow(/It knows serial\./);
  });
});
