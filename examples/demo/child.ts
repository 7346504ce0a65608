import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  /** As whoever reads an error knows it. */
  readonly name: string;
  /** A TypeScript file, relative to the repository. */
  readonly source: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What to do where it fails. */
  readonly advice: string;
}

/** A process of the demo's. It never outlives the demo. */
export class Child {
  /** Resolves once it has ended well; rejects, with what it said on stderr, where it has not. */
  readonly ended: Promise<void>;
  readonly #process: ChildProcessByStdio<null, null, Readable>;

  constructor(options: ChildOptions) {
    const { source, args = [], env = {} } = options;
    // The source by way of tsx rather than dist/, so that what is shown is what stands in the tree, built or not.
    const command = ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL(source, REPOSITORY))];
    this.#process = spawn(process.execPath, [...command, ...args], {
      env: { ...neutral(process.env), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C reaches all of the terminal's process group. In a group of its own a child is ended once, by the demo.
      detached: true,
    });
    const kill = () => this.#process.kill('SIGKILL');
    process.once('exit', kill);
    RUNNING.add(this);
    this.ended = endOf(this.#process, options).finally(() => {
      process.off('exit', kill);
      RUNNING.delete(this);
    });
    // Whoever waits is told; where nobody does, this is no fault of the demo.
    this.ended.catch(() => {});
  }

  /** Each line that it writes to stderr. */
  onLine(listener: (line: string) => void): void {
    createInterface(this.#process.stderr).on('line', listener);
  }

  /** Asks it to end, and waits until it has. */
  async end(): Promise<void> {
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_MILLIS);
    await this.ended.finally(() => clearTimeout(timer));
  }

  /** Ends all that still run, however they take it. */
  static async endAll(): Promise<void> {
    await Promise.allSettled([...RUNNING].map((child) => child.end()));
  }
}

const REPOSITORY = new URL('../../', import.meta.url);
const RUNNING = new Set<Child>();
/** More than the sidecar's own `shutdown_timeout`. */
const END_MILLIS = 12_000;
/** Most lines of stderr in an error. */
const MAX_LINES = 12;

async function endOf(
  child: ChildProcessByStdio<null, null, Readable>,
  { name, advice }: ChildOptions,
): Promise<void> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status, signal] = await once(child, 'close');
  if (status === 0) return;
  const lines = said.trim().split('\n').slice(-MAX_LINES);
  const how = signal === null ? `with status ${status}` : `by ${signal}`;
  throw new Error(`${name} ended ${how}, and said:\n\n  ${lines.join('\n  ') || '(nothing)'}\n\n${advice}`);
}

/** Without settings of the shell for OpenTelemetry and spanplan, which would change what the demo shows. */
function neutral(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(?:OTEL|SPANPLAN)_/.test(name)));
}
