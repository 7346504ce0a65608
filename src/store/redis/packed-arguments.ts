import { ByteWriter } from '../../model/byte-writer.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { writeRunRecord } from '../../model/run-record-bytes.ts';

/** The arguments of a script as one: a list of texts in MessagePack, which the script unpacks in one step. */
export class PackedArguments {
  readonly #out = new ByteWriter();
  #count = 0;

  /** Begins a new list, in the memory of the one before. */
  begin(): void {
    this.#count = 0;
    this.#out.clear();
    this.#out.byte(ARRAY_32);
    this.#out.uint32(0);
  }

  push(...values: readonly (string | number)[]): void {
    for (const value of values) {
      const start = this.#begin();
      this.#out.utf8(typeof value === 'string' ? value : String(value));
      this.#end(start);
    }
  }

  pushRecord(run: RunRecord): void {
    const start = this.#begin();
    writeRunRecord(this.#out, run);
    this.#end(start);
  }

  /** All that was pushed. */
  finish(): Buffer {
    this.#out.putUint32(this.#count, 1);
    return this.#out.copy();
  }

  #begin(): number {
    this.#count++;
    this.#out.byte(STRING_32);
    this.#out.uint32(0);
    return this.#out.length;
  }

  #end(start: number): void {
    this.#out.putUint32(this.#out.length - start, start - 4);
  }
}

const ARRAY_32 = 0xdd;
const STRING_32 = 0xdb;
