import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

type LogLine = Readonly<Record<string, unknown>>;

/** A running `spanplan serve`. */
export interface SidecarProcess {
  /** The line that says it is ready: where it listens, as bound. */
  readonly ready: LogLine & { readonly http: string; readonly grpc: string; readonly admin: string };
  readonly log: readonly LogLine[];
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** The exit status, once it has ended. */
  readonly ended: Promise<number | null>;
}

export interface ServeSetting {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the real command, on free ports where nothing else is said, and waits until it is ready. */
export async function serve(
  args: readonly string[],
  { cwd, env = {} }: ServeSetting,
): Promise<SidecarProcess> {
  const free = ['--http', '--grpc', '--admin'].flatMap((flag) =>
    args.includes(flag) ? [] : [flag, '127.0.0.1:0'],
  );
  const child: ChildProcessByStdio<null, null, Readable> = spawn(
    process.execPath,
    ['--import', TSX, CLI, 'serve', ...free, ...args],
    { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  const log: LogLine[] = [];
  let rest = '';
  const ready = new Promise<LogLine>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((line) => line.startsWith('{'))) log.push(JSON.parse(line) as LogLine);
      const line = log.find(({ msg }) => String(msg).startsWith('ready'));
      if (line !== undefined) resolve(line);
    });
    void ended.then(() =>
      reject(new Error(`serve ended before it was ready: ${JSON.stringify(log)} ${rest}`)),
    );
  });
  return {
    ready: (await ready) as SidecarProcess['ready'],
    log,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
