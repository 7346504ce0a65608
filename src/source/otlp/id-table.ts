/**
 * Writes ids as hex. Those of parents and traces come again and again, and are the same string then.
 */
export class IdTable {
  readonly #ids: string[] = new Array<string>(SLOTS).fill(ZERO_ID);
  readonly #bits = new Int32Array(SLOTS * 2);
  #traceId = '';
  readonly #traceBits = new Int32Array(4);

  /** Of 16 bytes, as four numbers of 32 bits with the first byte highest. */
  traceId(first: number, second: number, third: number, fourth: number): string {
    const bits = this.#traceBits;
    if (
      this.#traceId === '' ||
      bits[3] !== fourth ||
      bits[2] !== third ||
      bits[1] !== second ||
      bits[0] !== first
    ) {
      bits[0] = first;
      bits[1] = second;
      bits[2] = third;
      bits[3] = fourth;
      this.#traceId = hexOf(first, second) + hexOf(third, fourth);
    }
    return this.#traceId;
  }

  /** Of 8 bytes, as two numbers of 32 bits. */
  spanId(high: number, low: number): string {
    return this.#known(high, low) ?? hexOf(high, low);
  }

  /** The same. Several spans may have this parent, and it comes itself. */
  parentId(high: number, low: number): string {
    const known = this.#known(high, low);
    if (known !== undefined) return known;
    const slot = slotOf(high, low);
    const id = hexOf(high, low);
    this.#ids[slot] = id;
    this.#bits[slot * 2] = high;
    this.#bits[slot * 2 + 1] = low;
    return id;
  }

  #known(high: number, low: number): string | undefined {
    const slot = slotOf(high, low);
    return this.#bits[slot * 2] === high && this.#bits[slot * 2 + 1] === low ? this.#ids[slot] : undefined;
  }
}

/** A power of two. */
const SLOTS = 1_024;
/** What the bits of an empty place say. */
const ZERO_ID = '0'.repeat(16);

function slotOf(high: number, low: number): number {
  return (low ^ (low >>> 16) ^ high) & (SLOTS - 1);
}

/** Character codes of the hex digits. */
const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef'));

function hexOf(high: number, low: number): string {
  return String.fromCharCode(
    DIGITS[high >>> 28] ?? 0,
    DIGITS[(high >>> 24) & 15] ?? 0,
    DIGITS[(high >>> 20) & 15] ?? 0,
    DIGITS[(high >>> 16) & 15] ?? 0,
    DIGITS[(high >>> 12) & 15] ?? 0,
    DIGITS[(high >>> 8) & 15] ?? 0,
    DIGITS[(high >>> 4) & 15] ?? 0,
    DIGITS[high & 15] ?? 0,
    DIGITS[low >>> 28] ?? 0,
    DIGITS[(low >>> 24) & 15] ?? 0,
    DIGITS[(low >>> 20) & 15] ?? 0,
    DIGITS[(low >>> 16) & 15] ?? 0,
    DIGITS[(low >>> 12) & 15] ?? 0,
    DIGITS[(low >>> 8) & 15] ?? 0,
    DIGITS[(low >>> 4) & 15] ?? 0,
    DIGITS[low & 15] ?? 0,
  );
}
