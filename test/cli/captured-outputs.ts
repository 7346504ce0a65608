import { Writable } from 'node:stream';
import { Output, type Outputs } from '../../src/cli/output.ts';

export interface CapturedOutputs extends Outputs {
  readonly stdout: string;
  readonly stderr: string;
}

/** Outputs that keep what is written, for commands run in this process. */
export function capturedOutputs(env: Readonly<Record<string, string>> = {}, isTTY = false): CapturedOutputs {
  const out = new Sink(isTTY);
  const err = new Sink(isTTY);
  return {
    out: new Output(out, env),
    err: new Output(err, env),
    get stdout() {
      return out.text;
    },
    get stderr() {
      return err.text;
    },
  };
}

class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
