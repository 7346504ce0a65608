/**
 * Memory for bodies that is used again. Memory that is new is given by the system page by page as it is first written
 * to, and makes the collector of garbage look at everything after some hundred bodies; both cost as much as all else
 * that is done to receive a body.
 */
export class BodyMemory {
  readonly #free: ReadonlyMap<number, Buffer[]> = new Map(BLOCKS.map(({ bytes }) => [bytes, []]));

  /**
   * What is not written to of a block that is new is no memory yet.
   * @returns a block of so many bytes or more; undefined where none is so large.
   */
  take(bytes: number): Buffer | undefined {
    const size = BLOCKS.find((block) => block.bytes >= bytes)?.bytes;
    return size === undefined ? undefined : (this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size));
  }

  /** Nothing may look at the block any more. */
  giveBack(block: Buffer): void {
    const free = this.#free.get(block.length);
    const most = BLOCKS.find(({ bytes }) => bytes === block.length)?.mostFree ?? 0;
    if (free !== undefined && free.length < most) free.push(block);
  }
}

/** For the batches of SDKs, and for those of Collectors. Few bodies come in at the same time; memory for more is made anew. */
const BLOCKS = [
  { bytes: 2 ** 16, mostFree: 16 },
  { bytes: 2 ** 21, mostFree: 4 },
] as const;
