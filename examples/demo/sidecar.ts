import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';

/** A running `spanplan serve`, on ports that were free. */
export class Sidecar {
  /** Where spans can be sent. */
  readonly endpoint: string;
  /** Where plans can be asked for. */
  readonly admin: string;
  readonly #child: Child;

  private constructor(child: Child, { http, admin }: ReadyLine) {
    this.#child = child;
    this.endpoint = `http://${http}`;
    this.admin = `http://${admin}`;
  }

  /**
   * Starts it, and waits until it takes spans.
   * @param forward where the spans went before; they are passed on to there.
   */
  static async start(store: string, forward: string): Promise<Sidecar> {
    const free = ['http', 'grpc', 'admin'].flatMap((name) => [`--${name}`, '127.0.0.1:0']);
    const args = ['serve', '--config', CONFIG, '--store', store, '--forward', forward, ...free];
    const child = new Child({ name: 'spanplan serve', source: 'src/cli.ts', args, advice: ADVICE });
    const ready = new Promise<ReadyLine>((resolve) => {
      child.onLine((line) => {
        const said = logLine(line);
        if (said !== undefined && isReady(said)) resolve(said);
      });
    });
    return new Sidecar(child, await Promise.race([ready, tooEarly(child)]));
  }

  /** Waits for work that needs the sidecar, and no longer than the sidecar lives. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, tooEarly(this.#child)]);
  }

  /** Has it finish what it took, write its plans, pass on the last spans, and end. */
  stop(): Promise<void> {
    return this.#child.end();
  }
}

const CONFIG = fileURLToPath(new URL('sidecar.yaml', import.meta.url));

const ADVICE =
  'The demo takes the URL of a store, such as redis://localhost:6379; without one it needs no server: npm run demo';

/** The line of its log that says it is ready: where it listens, as bound. */
interface ReadyLine {
  readonly http: string;
  readonly admin: string;
}

function logLine(line: string): unknown {
  // What stops it from starting is said in plain text.
  return line.startsWith('{') ? JSON.parse(line) : undefined;
}

function isReady(line: unknown): line is ReadyLine {
  return /^ready\b/.test(String((line as { readonly msg?: unknown }).msg));
}

/** Rejects when the child ends. */
async function tooEarly(child: Child): Promise<never> {
  await child.ended;
  throw new Error('spanplan serve ended before the demo did.');
}
