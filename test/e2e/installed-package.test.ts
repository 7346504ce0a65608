import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { workFolder } from '../cli/work-folder.ts';
import { groupsOf, learnedPlan, postSpans } from '../sidecar/running-sidecar.ts';
import { builtPackage, REPOSITORY } from '../support/built-package.ts';
import { requestsOf, trueGroupsOf } from '../support/captures.ts';

// What would be published, in a folder where there is nothing else, used as the README says.

const run = promisify(execFile);
const RECORDING = 'ai7-otel-parallel';
const AGENT = 'research-agent';

let built: string;
beforeAll(async () => {
  built = join(await builtPackage(), 'node_modules/spanplan');
}, 60_000);

test('npx spanplan serve, with no file: spans in, the plan out, status 0', { timeout: 60_000 }, async () => {
  const cwd = await installed();
  const { ready, stop, ended } = await npxServe(cwd);
  expect(ready).toMatchObject({ store: 'lmdb:./.spanplan' });
  for (const request of requestsOf(RECORDING)) {
    const answer = await postSpans(`http://${ready.http}`, request);
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: {} });
  }
  const plan = await learnedPlan(`http://${ready.admin}`, AGENT);
  expect(groupsOf(plan)).toEqual(expect.arrayContaining([...trueGroupsOf(RECORDING)]));

  // Another process reads what the one that runs has written, and finds it when that one is gone.
  expect(await planByCommand(cwd)).toEqual(plan);
  stop();
  expect(await ended).toBe(0);
  expect(await planByCommand(cwd)).toEqual(plan);
});

/** An empty folder with the package as npm packs it, and beside it what it says that it depends on, and no more. */
async function installed(): Promise<string> {
  const cwd = workFolder();
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', cwd, built],
    { cwd },
  );
  const modules = join(cwd, 'node_modules');
  const home = join(modules, 'spanplan');
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', join(cwd, stdout.trim()), '--strip-components=1', '-C', home]);
  const { dependencies, optionalDependencies, bin } = JSON.parse(
    readFileSync(join(home, 'package.json'), 'utf8'),
  ) as PackageJson;
  const needed = ['@opentelemetry/api', ...Object.keys(dependencies), ...Object.keys(optionalDependencies)];
  for (const name of needed) link(join(REPOSITORY, 'node_modules', name), join(modules, name));
  link(join(home, bin.spanplan), join(modules, '.bin/spanplan'));
  expect(readdirSync(home).sort()).toEqual(['dist', 'package.json']);
  return cwd;
}

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly bin: { readonly spanplan: string };
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** Nothing is looked for elsewhere, in the registry least of all. */
const NPX = ['--no-install', '--offline', 'spanplan'];

async function planByCommand(cwd: string): Promise<unknown> {
  const { stdout } = await run('npx', [...NPX, 'plan', AGENT, '--json'], { cwd });
  return JSON.parse(stdout);
}

interface Ready {
  readonly http: string;
  readonly admin: string;
  readonly store: string;
}

async function npxServe(cwd: string) {
  const free = ['--http', '--grpc', '--admin'].flatMap((flag) => [flag, '127.0.0.1:0']);
  // In a group of its own, by which the sidecar is found: npx does not pass a signal on to it.
  const child = spawn('npx', [...NPX, 'serve', ...free], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const group = child.pid ?? Number.NaN;
  const ended = once(child, 'close').then(([status]) => status as number | null);
  onTestFinished(() => {
    for (const { pid } of processesOf(group)) process.kill(pid, 'SIGKILL');
  });
  let text = '';
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const line = text.split('\n').find((line) => line.startsWith('{') && line.includes('"ready'));
      if (line?.endsWith('}')) resolve(JSON.parse(line) as Ready);
    });
    void ended.then((status) => reject(new Error(`npx ended with ${status}: ${text}`)));
  });
  const stop = () => {
    const sidecar = processesOf(group).find(({ command }) => command.includes('.bin/spanplan serve'));
    process.kill(sidecar?.pid ?? Number.NaN, 'SIGTERM');
  };
  return { ready, ended, stop };
}

function processesOf(group: number): readonly { readonly pid: number; readonly command: string }[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, of, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(of) === group ? [{ pid: Number(pid), command }] : [];
  });
}
