import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from '../../examples/demo/child.ts';
import { workFolder } from '../cli/work-folder.ts';
import { REPOSITORY } from '../support/built-package.ts';

/** Starts a process of this text, and has its lines on stderr. */
function start(text: string, env: Readonly<Record<string, string>> = {}) {
  const path = join(workFolder(), 'child.ts');
  writeFileSync(path, text);
  const child = new Child({ name: 'It', source: relative(REPOSITORY, path), env, advice: 'Try again.' });
  const first = new Promise<string>((resolve) => child.onLine(resolve));
  return { child, first };
}

/** Says its id once it is ready to be ended, and ends with this. */
function patient(onTerm: string): string {
  return `process.on('SIGTERM', () => ${onTerm}); setInterval(() => {}, 1_000); console.error(process.pid)`;
}

describe('a process of the demo', () => {
  it('that fails is told with what it said, and what to do', async () => {
    const { child } = start("console.error('no such city'); process.exit(3)");
    await expect(child.ended).rejects.toThrow(
      /^It ended with status 3, and said:\n\n {2}no such city\n\nTry again\.$/,
    );
  });

  it('that is killed is told too', async () => {
    const { child } = start("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1_000)");
    await expect(child.ended).rejects.toThrow(/^It ended by SIGKILL, and said:\n\n {2}\(nothing\)/);
  });

  it('is ended, and waited for', async () => {
    const { child, first } = start(patient('setTimeout(() => process.exit(0), 100)'));
    const pid = Number(await first);
    expect(process.kill(pid, 0)).toBe(true);
    await child.end();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is ended with all others, also where it ends badly', async () => {
    const children = [start(patient('process.exit(0)')), start(patient('process.exit(1)'))];
    const pids = await Promise.all(children.map(async ({ first }) => Number(await first)));
    await Child.endAll();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('does not see what the shell sets for OpenTelemetry and spanplan, but what the demo sets', async () => {
    process.env.OTEL_SDK_DISABLED = 'true';
    const { child, first } = start(
      'console.error(Object.keys(process.env).filter((n) => /^(OTEL|SPAN)/.test(n)).join())',
      {
        OTEL_SERVICE_NAME: 'demo',
      },
    );
    delete process.env.OTEL_SDK_DISABLED;
    await child.ended;
    expect(await first).toBe('OTEL_SERVICE_NAME');
  });
});
