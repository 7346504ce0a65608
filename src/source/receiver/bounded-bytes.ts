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
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;

  /**
   * Takes room for the beginning at once, so that who finds none is refused before anything is read.
   * @throws Refusal
   */
  constructor(room: Room, limit: number, expected: number = limit) {
    if (expected > limit) throw Refusal.tooLarge(limit);
    this.#room = room;
    this.#limit = limit;
    this.#expected = expected;
    this.#grow(0);
  }

  /** @throws Refusal where the body is too large, or there is no room for it. */
  push(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#limit) throw Refusal.tooLarge(this.#limit);
    if (size > this.#bytes.length) this.#grow(size);
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** What was collected; whoever keeps it keeps no more than that. */
  finish(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#size);
    const isWasteful = this.#bytes.length > this.#size * 1.25;
    const kept = isWasteful ? copyOf(bytes) : bytes;
    this.#bytes = Buffer.alloc(0);
    return kept;
  }

  #grow(needed: number): void {
    const before = this.#bytes.length;
    const doubled = Math.min(Math.max(before * 2, FIRST_BYTES), this.#expected);
    const after = Math.max(doubled, needed);
    this.#room.take(after - before);
    const grown = Buffer.allocUnsafeSlow(after);
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

/** Not from the pool that small buffers share: a queue may keep it long. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
