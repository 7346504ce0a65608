import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import { isColoured, type Style, styleOf } from './style.ts';

/** Where a command writes: standard output or standard error, which may be a terminal, a file or a pipe. */
export class Output {
  readonly style: Style;
  readonly isTerminal: boolean;
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.isTerminal = isTerminal(stream);
    this.style = styleOf(isColoured(this.isTerminal, env));
  }

  /** Columns to fit into; unlimited where nothing wraps. */
  get columns(): number {
    const { columns } = this.#stream as WriteStream;
    return this.isTerminal && columns > 0 ? columns : Number.POSITIVE_INFINITY;
  }

  write(text: string): void {
    this.#stream.write(text);
  }

  line(text = ''): void {
    this.#stream.write(`${text}\n`);
  }

  /** Resolves when a slow reader has caught up, so that much output does not pile up in memory. */
  async drained(): Promise<void> {
    if ((this.#stream as WriteStream).writableNeedDrain) await once(this.#stream, 'drain');
  }
}

/** The two outputs of a process. */
export interface Outputs {
  readonly out: Output;
  readonly err: Output;
}

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return (stream as WriteStream).isTTY === true;
}
