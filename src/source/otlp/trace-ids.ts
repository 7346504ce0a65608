import { spanIdOf } from '../../model/span-id.ts';

/** Writes trace ids as hex. Spans of one trace mostly come together, and share the string then. */
export class TraceIds {
  #last = '';
  readonly #bits = new Int32Array(4);

  /** Of 16 bytes, as four numbers of 32 bits with the first byte highest. */
  of(first: number, second: number, third: number, fourth: number): string {
    const bits = this.#bits;
    if (
      this.#last === '' ||
      bits[3] !== fourth ||
      bits[2] !== third ||
      bits[1] !== second ||
      bits[0] !== first
    ) {
      bits[0] = first;
      bits[1] = second;
      bits[2] = third;
      bits[3] = fourth;
      this.#last = spanIdOf(first, second) + spanIdOf(third, fourth);
    }
    return this.#last;
  }
}
