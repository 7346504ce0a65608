import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SdkTree, sdkTree } from '../support/sdk-tree.ts';

// The SDK line 3.x needs a newer API and a newer Node than this tree has, so the built package runs in a tree of its own.

const run = promisify(execFile);
const TSC = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');

let tree: SdkTree;
beforeAll(async () => {
  tree = await sdkTree('sdk3');
}, 180_000);

describe.each([
  ['ESM', 'esm.mjs'],
  ['require() from CommonJS', 'commonjs.cjs'],
])('with the SDK 3.1, by %s', (_, program) => {
  it('learns agents, sampled or not, local or called from elsewhere, whatever types their attributes have', async () => {
    const { stdout, stderr } = await run(tree.node, [program], { cwd: tree.folder });
    expect(stderr).toBe('');
    const fanOut = [['fetch', 'search']];
    expect(JSON.parse(stdout)).toMatchObject({
      node: expect.stringMatching(/^2[2-9]\./),
      groups: { planner: fanOut, unsampled: fanOut, callee: fanOut },
      batches: [['search', 'fetch'], ['summarize']],
      account: { received: 15, learned: 15, buffered: 0, awaiting: 0, dropped: {} },
      llm: { kind: 'llm' },
    });
    expect(JSON.parse(stdout).llm).not.toHaveProperty('promptTokens');
  });
});

it('is a SpanProcessor by the types of the SDK 3.1, from ESM and CommonJS', async () => {
  const checked = run(process.execPath, [TSC, '-p', tree.folder]).then(
    () => '',
    (error: { readonly stdout: string }) => error.stdout,
  );
  expect(await checked).toBe('');
});
