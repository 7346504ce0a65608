import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProbeReading } from './loop-probe.ts';

export interface Ports {
  readonly http: number;
  readonly grpc: number;
}

/** A server in a process of its own, with a probe in it. */
export class ProbedProcess {
  readonly #child: ChildProcess;
  #status: number | null | undefined;

  private constructor(program: string, args: readonly string[]) {
    const execArgv = ['--expose-gc', '--import', new URL('./loop-probe.js', import.meta.url).href];
    this.#child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
      execArgv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.once('exit', (status) => {
      this.#status = status;
    });
  }

  /** The sidecar, as users run it. */
  static async sidecar(config: string): Promise<ProbedProcess & { readonly ready: SidecarReady }> {
    const started = new ProbedProcess('../src/cli.js', ['serve', '--config', config]);
    return Object.assign(started, { ready: await started.#readyLine() });
  }

  /** What only reads bodies. */
  static async bare(): Promise<ProbedProcess & { readonly ports: Ports }> {
    const started = new ProbedProcess('./bare-process.js', []);
    started.#child.stderr?.pipe(process.stderr);
    const ports = await started.#said<{ readonly ports: Ports }>('ports');
    return Object.assign(started, ports);
  }

  probe(): Promise<ProbeReading> {
    return this.#read('probe');
  }

  /** The same after garbage was collected. */
  collect(): Promise<ProbeReading> {
    return this.#read('collect');
  }

  async #read(how: 'probe' | 'collect'): Promise<ProbeReading> {
    const reading = this.#said<{ readonly reading: ProbeReading }>('reading');
    this.#child.send(how);
    return (await reading).reading;
  }

  reset(): void {
    this.#child.send('reset');
  }

  /** @returns the exit status. */
  async stop(): Promise<number | null> {
    if (this.#status === undefined) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    return this.#status ?? null;
  }

  #said<T>(key: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('a server has ended'));
      const onMessage = (message: unknown) => {
        if (typeof message !== 'object' || message === null || !(key in message)) return;
        this.#child.off('message', onMessage).off('exit', onExit);
        resolve(message as T);
      };
      if (this.#status !== undefined) onExit();
      this.#child.on('message', onMessage).on('exit', onExit);
    });
  }

  /** What it warns of later is told as it comes. */
  #readyLine(): Promise<SidecarReady> {
    return new Promise((resolve, reject) => {
      let text = '';
      this.#child.once('exit', () => reject(new Error(`the sidecar has ended: ${text}`)));
      this.#child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
        const isReady = text.includes(READY);
        text += piece;
        if (isReady && !piece.startsWith('{"level":"info"')) process.stderr.write(piece);
        const line = text.split('\n').find((one) => one.includes(READY));
        if (!isReady && line !== undefined && text.endsWith('\n')) resolve(JSON.parse(line) as SidecarReady);
      });
    });
  }
}

/** Where it listens, as HOST:PORT. */
export interface SidecarReady {
  readonly http: string;
  readonly grpc: string;
  readonly admin: string;
}

const READY = 'ready: spans can be sent';
