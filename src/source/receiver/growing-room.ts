import type { Room } from './room.ts';

const FIRST_BYTES = 4_096;

/** Room for one body, asked for as it grows, so that a length that is only claimed takes none away from others. */
export class GrowingRoom {
  readonly #room: Room;
  /** What the body will not exceed, if the sender is right. */
  readonly #expected: number;
  #size: number;

  /**
   * Takes room for the beginning at once, so that who finds none is refused before anything is read.
   * @throws Refusal
   */
  constructor(room: Room, expected: number) {
    this.#room = room;
    this.#expected = expected;
    this.#size = Math.min(FIRST_BYTES, expected);
    room.take(this.#size);
  }

  /** For how many bytes there is room. */
  get size(): number {
    return this.#size;
  }

  /**
   * Sees to it that there is room for so many bytes.
   * @throws Refusal where there is none.
   */
  growTo(needed: number): void {
    const before = this.#size;
    if (needed <= before) return;
    this.#size = Math.max(needed, Math.min(before * 2, this.#expected));
    this.#room.take(this.#size - before);
  }
}
