import { GrowingRoom } from './growing-room.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';

/**
 * Collects the chunks of one body in one piece of memory. It copies, as a body sent byte by byte would otherwise cost
 * a hundred times its size in small objects.
 */
export class BoundedBytes {
  readonly #room: Room;
  readonly #limit: number;
  readonly #growing: GrowingRoom;
  #bytes: Buffer = NOTHING;
  #size = 0;
  #isBlock = false;

  /**
   * @param expected what the body will not exceed, if the sender is right.
   * @throws Refusal where that is too large, or there is no room.
   */
  constructor(room: Room, limit: number, expected: number = limit) {
    if (expected > limit) throw Refusal.tooLarge(limit);
    this.#room = room;
    this.#limit = limit;
    this.#growing = new GrowingRoom(room, expected);
  }

  /** @throws Refusal where the body is too large, or there is no room for it. */
  push(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#limit) throw Refusal.tooLarge(this.#limit);
    this.#growing.growTo(size);
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

  #makeSpace(): void {
    const { size } = this.#growing;
    const block = this.#room.block(size);
    const space = block ?? Buffer.allocUnsafeSlow(size);
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
