import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';

const FIRST_BYTES = 4_096;

/**
 * Collects the chunks of one body in one piece of memory. It copies, as a body sent byte by byte would otherwise cost
 * a hundred times its size in small objects; and it asks for room as it grows, so that a length that is only claimed
 * takes none away from others.
 */
export class BoundedBytes {
  readonly #room: Room;
  readonly #limit: number;
  /** What the body will not exceed, if the sender is right. */
  readonly #expected: number;
  #bytes: Buffer = NOTHING;
  #size = 0;
  /** How many bytes there is room for. */
  #capacity = 0;
  #isBlock = false;

  /**
   * Takes room for the beginning at once, so that who finds none is refused before anything is read.
   * @throws Refusal
   */
  constructor(room: Room, limit: number, expected: number = limit) {
    if (expected > limit) throw Refusal.tooLarge(limit);
    this.#room = room;
    this.#limit = limit;
    this.#expected = expected;
    this.#takeRoom(0);
  }

  /** @throws Refusal where the body is too large, or there is no room for it. */
  push(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#limit) throw Refusal.tooLarge(this.#limit);
    if (size > this.#capacity) this.#takeRoom(size);
    if (size > this.#bytes.length) this.#makeSpace();
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** What was collected; whoever keeps it keeps no more than that. */
  finish(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#size);
    const isWasteful = !this.#isBlock && this.#bytes.length > this.#size * 1.25;
    this.#bytes = NOTHING;
    return isWasteful ? copyOf(bytes) : bytes;
  }

  #takeRoom(needed: number): void {
    const before = this.#capacity;
    const doubled = Math.min(Math.max(before * 2, FIRST_BYTES), this.#expected);
    this.#capacity = Math.max(doubled, needed);
    this.#room.take(this.#capacity - before);
  }

  #makeSpace(): void {
    const block = this.#room.block(this.#capacity);
    const space = block ?? Buffer.allocUnsafeSlow(this.#capacity);
    space.set(this.#bytes.subarray(0, this.#size));
    this.#isBlock = block !== undefined;
    this.#bytes = space;
  }
}

const NOTHING = Buffer.alloc(0);

/** Not from the pool that small buffers share: a queue may keep it long. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
