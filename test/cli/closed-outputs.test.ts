import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, groupsOf, learnedPlan, postSpans, QUICK } from '../sidecar/running-sidecar.ts';
import { captureFile } from '../support/captures.ts';
import { spanplan } from './cli-process.ts';
import { fanout } from './span-request.ts';
import { workFolder } from './work-folder.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const COMMAND = `"${process.execPath}" --import "${TSX}" "${CLI}"`;

/** Runs a line of shell, as a user types it; the status is that of the last command. */
function shell(line: string, cwd: string) {
  return promisify(execFile)('bash', ['-c', line], { cwd });
}

describe('whoever reads the output may stop reading', () => {
  test('spanplan plan | head ends quietly, with success', async () => {
    const cwd = workFolder();
    await spanplan(['learn', captureFile('openai-agents-multi')], { cwd });
    // Nobody reads at all, so that the first write fails.
    const { stdout, stderr } = await shell(
      `${COMMAND} plan --json | true; echo "status \${PIPESTATUS[0]}"`,
      cwd,
    );
    expect([stdout, stderr]).toEqual(['status 0\n', '']);
    const head = await shell(`${COMMAND} plan | head -n 1; echo "status \${PIPESTATUS[0]}"`, cwd);
    expect(head.stdout).toMatch(/^\S.*\nstatus 0\n$/);
    expect(head.stderr).toBe('');
  });

  test('of what stands beside it: the work is done all the same', async () => {
    const cwd = workFolder();
    const line = `${COMMAND} learn "${captureFile('openai-agents-multi')}" nowhere.json 2> >(true); echo "status $?"`;
    const { stdout } = await shell(line, cwd);
    expect(stdout).toContain('ask_analyst + ask_researcher');
    expect(stdout).toMatch(/status 1\n$/); // one of the files was not there
  });
});

describe('spanplan serve goes on', () => {
  test.each([
    ['when the pipe of its log is closed', 'pipe'],
    ['when the disk of its log is full', '/dev/full'],
  ])('%s, learns, and stops as told', async (_, log) => {
    const cwd = workFolder();
    const port = await freePorts();
    writeFileSync(join(cwd, 's.yaml'), `${QUICK}\nservice: {telemetry: {logs: {level: debug}}}`);
    const args = ['serve', '--config', 's.yaml', '--store', 'memory:', ...port.flags];
    const redirected = log === 'pipe' ? '' : `2> ${log}`;
    const child = spawn('bash', ['-c', `exec ${COMMAND} ${args.join(' ')} ${redirected}`], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    if (log === 'pipe') await once(child.stderr, 'data');
    child.stderr.destroy();
    await eventually(async () => {
      const answer = await fetch(`${port.admin}/readyz`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });

    expect((await postSpans(port.http, fanout('planner', ['fetch', 'search']))).status).toBe(200);
    expect(groupsOf(await learnedPlan(port.admin, 'planner'))).toEqual([['fetch', 'search']]);
    // It logs as it ends, too.
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});

/** Ports that were free a moment ago: a log that nobody can read says none. */
async function freePorts() {
  const servers = [createServer(), createServer(), createServer()];
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [http, grpc, admin] = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const server of servers) server.close();
  const flags = ['--http', http, '--grpc', grpc, '--admin', admin];
  return { flags, http: `http://${http}`, admin: `http://${admin}` };
}
