import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { change, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';
import { redisStore } from './redis-stores.ts';

const nemoWriter = fileURLToPath(new URL('nemo-writer.ts', import.meta.url));

/** nemo-flow reads only plans whose run id is a UUID, as the ids of runs made from spans are. */
const FIRST = '00000000-0000-5000-8000-000000000001';
const SECOND = '00000000-0000-5000-8000-000000000002';

async function nemoFlowRuns(keyPrefix: string, tools: readonly string[]): Promise<void> {
  const socket = redisUrl().slice('unix:'.length);
  const args = ['--import', 'tsx', nemoWriter, socket, keyPrefix, 'planner', tools.join(',')];
  const { stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
}

it('nemo-flow-node and spanplan extend one plan in turn, and neither loses anything of the other', async () => {
  const keyPrefix = `nemo_flow:${freshPrefix()}`;
  const store = redisStore(keyPrefix);
  const groups = async () => groupNames((await store.load('planner'))?.plan);

  await store.apply('planner', [
    change(
      FIRST,
      [
        ['fetch', 'search'],
        ['ü', '😀'],
      ],
      { at: 1 },
    ),
  ]);
  await nemoFlowRuns(keyPrefix, ['grep', 'ls']);
  expect(await groups()).toEqual(['fetch+search', 'grep+ls', 'ü+😀']);
  const theirs = (await store.load('planner'))?.plan;
  expect(theirs?.metadata_template.run_id).not.toBe(FIRST);
  expect(theirs?.metadata_template.parallel_hints).toHaveLength(6);

  await store.apply('planner', [
    change(
      SECOND,
      [
        ['read', 'write'],
        ['grep', 'ls'],
      ],
      { at: 2 },
    ),
  ]);
  expect(await groups()).toEqual(['fetch+search', 'grep+ls', 'read+write', 'ü+😀']);
  await nemoFlowRuns(keyPrefix, ['fetch', 'search']);
  expect(await groups()).toEqual(['fetch+search', 'grep+ls', 'read+write', 'ü+😀']);

  expect((await store.runs('planner')).map((run) => run.calls.map((call) => call.name).join('+'))).toEqual([
    'fetch+search+ü+😀',
    'grep+ls',
    'read+write+grep+ls',
    'fetch+search',
  ]);
  expect(await store.agents()).toEqual(['planner']);

  // What we withdraw goes; what they added stays, also where we saw it too.
  await store.apply('planner', [withdrawal(FIRST, 2), withdrawal(SECOND, 2)]);
  expect(await groups()).toEqual(['grep+ls']);
}, 40_000);

it('spanplan extends a plan that nemo-flow-node began', async () => {
  const keyPrefix = `nemo_flow:${freshPrefix()}`;
  await nemoFlowRuns(keyPrefix, ['a', 'b', 'c']);
  const store = redisStore(keyPrefix);
  const before = (await store.load('planner'))?.plan;
  expect(before?.parallel_groups).toHaveLength(2);
  expect(await store.agents()).toEqual(['planner']);
  const [run] = await store.runs('planner');
  expect(before?.metadata_template.run_id).toBe(run?.id);
  await store.apply('planner', [change(FIRST, [['d', 'e']])]);
  const after = (await store.load('planner'))?.plan;
  for (const group of before?.parallel_groups ?? []) expect(after?.parallel_groups).toContainEqual(group);
  expect(after?.parallel_groups).toHaveLength(3);
}, 40_000);
