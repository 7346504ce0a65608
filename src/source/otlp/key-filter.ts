/**
 * Tells most attribute keys that nobody wants by four bytes at either end and the length, as they lie in a body: most keys
 * of most spans are such. What it lets pass is only perhaps wanted.
 */
export class KeyFilter {
  /** By the first four bytes of a key: a bit for each length, counted modulo 8. */
  readonly #starts = new Uint8Array(PLACES);
  /** By the last four bytes, and by the four before these: for names that may begin with anything. */
  readonly #ends = new Uint8Array(PLACES);
  readonly #beforeEnds = new Uint8Array(PLACES);

  /** @param names all that are wanted, each with one `*` at most for any characters; undefined where nobody can list them. */
  constructor(names: readonly string[] | undefined) {
    if (names === undefined) this.#starts.fill(ANY_LENGTH);
    for (const name of names ?? []) this.#add(name);
  }

  mayBeWanted(view: DataView, from: number, length: number): boolean {
    if (length < SIGN_BYTES) return true;
    const lengths = this.#starts[placeOf(view.getInt32(from))] ?? ANY_LENGTH;
    if ((lengths & (1 << (length & 7))) !== 0) return true;
    const endAt = from + length - SIGN_BYTES;
    if (this.#ends[placeOf(view.getInt32(endAt))] === 0) return false;
    return length < 2 * SIGN_BYTES || this.#beforeEnds[placeOf(view.getInt32(endAt - SIGN_BYTES))] !== 0;
  }

  #add(name: string): void {
    const star = name.indexOf('*');
    const start = Buffer.from(star < 0 ? name : name.slice(0, star));
    const end = Buffer.from(name.slice(star + 1));
    if (start.length >= SIGN_BYTES) {
      const place = placeOf(start.readInt32BE());
      const lengths = star < 0 ? 1 << (start.length & 7) : ANY_LENGTH;
      this.#starts[place] = (this.#starts[place] ?? 0) | lengths;
    } else if (star >= 0 && end.length >= SIGN_BYTES) {
      const endAt = end.length - SIGN_BYTES;
      this.#ends[placeOf(end.readInt32BE(endAt))] = 1;
      if (endAt < SIGN_BYTES) this.#beforeEnds.fill(1);
      else this.#beforeEnds[placeOf(end.readInt32BE(endAt - SIGN_BYTES))] = 1;
    } else if (star >= 0) this.#starts.fill(ANY_LENGTH);
  }
}

/** A power of two. */
const PLACES = 1_024;
/** How many bytes of a key are looked at. Shorter keys are few, and are not told. */
const SIGN_BYTES = 4;
const ANY_LENGTH = 0xff;

function placeOf(sign: number): number {
  return (Math.imul(sign, 0x9e3779b1) >>> 22) & (PLACES - 1);
}
