import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CAPTURE_NAMES, captureFile, requestsOf, trueGroupsOf } from '../support/captures.ts';
import { maximalGroups, sortedGroups } from '../support/maximal-groups.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { spanplan } from './cli-process.ts';
import { command } from './in-process.ts';
import { fanout, spanRequest } from './span-request.ts';
import { workFolder } from './work-folder.ts';

function writeJson(folder: string, file: string, json: unknown): string {
  writeFileSync(join(folder, file), JSON.stringify(json));
  return file;
}

const RECORDING = captureFile('ai6-parallel');

describe('spanplan learn', () => {
  it('learns all recordings into the default store, and again without a change', async () => {
    const cwd = workFolder();
    const files = CAPTURE_NAMES.map(captureFile);
    const first = await spanplan(['learn', '--json', ...files], { cwd });
    expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining('research-svc') });
    const { summary, plans } = JSON.parse(first.stdout);
    expect(summary).toEqual({ files: 92, spans: 1401, traces: 131, runs: 162, calls: 812, rejected: [] });
    const truth = new Set(sortedGroups(CAPTURE_NAMES.flatMap(trueGroupsOf)).map(String));
    expect(new Set(maximalGroups(plans).map(String))).toEqual(truth);

    const table = await spanplan(['plan'], { cwd });
    const second = await spanplan(['learn', '--json', ...files], { cwd });
    expect(second.stdout).toBe(first.stdout);
    expect(await spanplan(['plan'], { cwd })).toEqual(table);
    expect(JSON.parse((await spanplan(['plan', '--json'], { cwd })).stdout)).toEqual(plans);
  });

  it('reads JSON, JSON lines, protobuf, gzip of each, and standard input', async () => {
    const cwd = workFolder();
    const requests = requestsOf('ai7-otel-splitbatch-parallel');
    const lines = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
    writeFileSync(join(cwd, 'spans.jsonl.gz'), gzipSync(lines));
    for (const [at, request] of requests.entries()) {
      writeFileSync(join(cwd, `${at}.binpb`), encodeOtlp(request));
      writeFileSync(join(cwd, `${at}.pb.gz`), gzipSync(encodeOtlp(request)));
    }
    const learned = async (files: readonly string[], input = '') => {
      const result = await spanplan(['learn', '--json', '--store', 'memory:', ...files], { cwd, input });
      expect(result).toMatchObject({ status: 0, stderr: '' });
      return JSON.parse(result.stdout).plans;
    };
    const names = [...requests.keys()];
    const truth = await learned([captureFile('ai7-otel-splitbatch-parallel')]);
    expect(maximalGroups(truth)).toEqual(trueGroupsOf('ai7-otel-splitbatch-parallel'));
    expect(await learned(['spans.jsonl.gz'])).toEqual(truth);
    expect(await learned(['-'], lines)).toEqual(truth);
    // a trace that stands in many files, some of them twice, the last ones first
    expect(await learned(names.map((at) => `${at}.binpb`).reverse())).toEqual(truth);
    expect(
      await learned(names.map((at) => `${at}.${at % 2 === 0 ? 'pb.gz' : 'binpb'}`).concat('0.binpb')),
    ).toEqual(truth);
  });

  it('names broken files with line or byte and learns the others', async () => {
    const cwd = workFolder();
    writeFileSync(join(cwd, 'cut.json'), '{"resourceSpans": [{');
    writeFileSync(join(cwd, 'lines.jsonl'), `${JSON.stringify(fanout('lines', ['a', 'b']))}\nsecret words\n`);
    const zeroId = spanRequest([{ id: 0, from: 0, to: 1 }]);
    writeJson(cwd, 'ids.json', zeroId);
    const files = ['cut.json', 'lines.jsonl', 'gone.json', RECORDING, 'ids.json'];
    const result = await spanplan(['learn', '--json', ...files], { cwd });
    const { summary, plans } = JSON.parse(result.stdout);
    expect(summary.rejected).toEqual([
      { file: 'cut.json', reason: expect.stringMatching(/byte 20: /) },
      { file: 'lines.jsonl', reason: expect.stringMatching(/^line 2, byte \d+: /) },
      { file: 'gone.json', reason: 'there is no such file' },
      { file: 'ids.json', reason: '1 span rejected: the span id is all zeros (1)' },
    ]);
    expect(Object.keys(plans)).toEqual(['lines', 'research-agent']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('gone.json: there is no such file');
    expect(result.stdout + result.stderr).not.toContain('secret');
  });

  it('says what it saw where no span is recognised', async () => {
    const cwd = workFolder();
    writeJson(
      cwd,
      'http.json',
      spanRequest([{ id: 1, name: 'GET /', from: 0, to: 5 }], { scope: 'http-lib' }),
    );
    const result = await command('learn', '--store', 'memory:', join(cwd, 'http.json'));
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toContain('Saw 1 span and recognised none');
    expect(result.stdout).toContain('http-lib (1)');
    expect(result.stdout).toContain('--explain');
  });

  it('takes RunRecords, keeps their ids, and learns each once', async () => {
    const cwd = workFolder();
    const at = (millis: number) => `2026-11-22T12:20:00.${String(millis).padStart(3, '0')}Z`;
    const call = (name: string, from: number, to: number) => ({
      kind: 'tool',
      name,
      started_at: at(from),
      ended_at: at(to),
    });
    const run = (id: string, to: number) => ({
      id,
      agent_id: 'planner',
      started_at: '2026-11-22T12:20:00Z',
      ended_at: at(50),
      calls: [call('fetch', 1, 20), call('search', to, 30)],
    });
    // an overlap of one millisecond counts, as nothing says otherwise
    writeJson(cwd, 'runs.json', [run('first', 19), run('second', 20)]);
    const store = ['--store', `lmdb:${join(cwd, 'store')}`];
    const learnRuns = (...more: string[]) =>
      command('learn', '--input', 'runs', '--json', ...store, join(cwd, 'runs.json'), ...more);

    const { stdout } = await learnRuns();
    const { summary, plans } = JSON.parse(stdout);
    expect(summary).toEqual({ files: 1, spans: 0, traces: 0, runs: 2, calls: 4, rejected: [] });
    expect(plans.planner.parallel_groups.map((group: { tool_names: string[] }) => group.tool_names)).toEqual([
      ['fetch', 'search'],
    ]);
    expect((await learnRuns()).stdout).toBe(stdout);
    const kept = JSON.parse((await command('runs', 'planner', '--json', ...store)).stdout);
    expect(kept).toEqual([run('first', 19), run('second', 20)]);
    const table = await command('plan', 'planner', ...store);
    expect(table.stdout).toMatch(/^ +1 {2}2026-11-22 \d\d:\d\d UTC {2}fetch \+ search$/m);

    const apart = JSON.parse((await learnRuns('--agent', 'other', '--min-overlap', '2')).stdout);
    expect(apart.plans).toEqual({});
  });

  it('loses nothing where two processes learn into one store', async () => {
    const cwd = workFolder();
    const learnTools = (name: string) => {
      const requests = Array.from({ length: 40 }, (_, at) =>
        fanout('shared', [`${name}${at}`, 'tool'], name.charCodeAt(0) * 1_000 + at),
      );
      return spanplan(['learn', '--json', writeJson(cwd, `${name}.json`, requests)], { cwd });
    };
    const results = await Promise.all([learnTools('a'), learnTools('b')]);
    expect(results.map(({ status }) => status)).toEqual([0, 0]);
    const plan = JSON.parse((await spanplan(['plan', 'shared', '--json'], { cwd })).stdout);
    expect(plan.parallel_groups).toHaveLength(80);
  });

  it('learns into Redis under a key prefix', async () => {
    const store = ['--store', redisUrl(), '--key-prefix', freshPrefix()];
    const { status, stdout } = await command('learn', '--json', ...store, RECORDING);
    expect(status).toBe(0);
    const plan = await command('plan', 'research-agent', '--json', ...store);
    expect(JSON.parse(plan.stdout)).toEqual(JSON.parse(stdout).plans['research-agent']);
    const elsewhere = await command('plan', '--json', '--store', redisUrl(), '--key-prefix', freshPrefix());
    expect(elsewhere.stdout).toBe('{}\n');
  });

  it('honours the options of learning', async () => {
    const learned = async (...options: string[]) => {
      const args = [
        'learn',
        '--json',
        '--store',
        'memory:',
        ...options,
        captureFile('nemo-relay-gen_ai-multi'),
      ];
      return JSON.parse((await command(...args)).stdout);
    };
    const [maximal, bounded, whole] = await Promise.all([
      learned('--agent', 'only', '--cohorts', 'maximal'),
      learned('--max-groups', '1', '--agent', 'only'),
      learned('--run', 'trace', '--min-overlap', '100000'),
    ]);
    expect(Object.keys(maximal.plans)).toEqual(['only']);
    expect(maximalGroups(maximal.plans)).toEqual(sortedGroups(trueGroupsOf('nemo-relay-gen_ai-multi')));
    expect(bounded.plans.only.parallel_groups).toHaveLength(1);
    expect(whole).toMatchObject({ summary: { runs: 1 }, plans: {} });
  });
});

describe('a store that fails', () => {
  it('is one sentence without the password, before any input is read', async () => {
    const args = ['learn', '--store', 'redis://user:p@ss@127.0.0.1:1/0', RECORDING];
    const result = await spanplan(args, { cwd: workFolder() });
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/^error: redis:\/\/127\.0\.0\.1:1\/0 cannot be reached/);
    expect(result.stderr).toContain('--store');
    expect(result.stderr).not.toMatch(/p@ss|user|\n\s+at /);
  });

  it('may be a directory that cannot be one', async () => {
    const cwd = workFolder();
    writeFileSync(join(cwd, 'file'), '');
    const result = await command('learn', '--store', `lmdb:${join(cwd, 'file', 'x')}`, RECORDING);
    expect(result).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('ENOTDIR') });
  });
});
