import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Servers by what takes the bodies, and how they come. */
export type ServerKind = `${'spanplan' | 'protobufjs' | 'bare'}-${'http' | 'grpc'}`;

export interface ServerReport {
  /** CPU time in microseconds, all threads of the process included. */
  readonly cost: number;
  readonly requests: number;
  /** What became of the spans, by what; all 0 in servers that do not look. */
  readonly spans: Readonly<Record<string, number>>;
}

/** A server of one kind in a process of its own. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** With `SPANPLAN_PROFILE=KIND` in the environment that kind leaves a CPU profile where it was started. */
  static async start(kind: ServerKind): Promise<ServerProcess> {
    const program = fileURLToPath(new URL('./receive-server.js', import.meta.url));
    const profile = process.env.SPANPLAN_PROFILE === kind ? ['--cpu-prof', '--cpu-prof-interval', '200'] : [];
    const child = fork(program, [kind], { execArgv: ['--expose-gc', ...profile] });
    return new ServerProcess(child, await said<number>(child));
  }

  async begin(): Promise<void> {
    this.#child.send('begin');
    await said(this.#child);
  }

  async end(): Promise<ServerReport> {
    this.#child.send('end');
    return said<ServerReport>(this.#child);
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

async function said<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const gone = once(child, 'exit', { signal: ended.signal }).then(([status]) => {
    throw new Error(`a server ended with status ${status}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), gone]);
    return message as T;
  } finally {
    ended.abort();
    gone.catch(() => {});
  }
}
