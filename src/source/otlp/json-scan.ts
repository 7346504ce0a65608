import { ACTIONS, type Action, JSON_MOVES, stateNumber } from './json-moves.ts';
import { MalformedBodyError } from './malformed-body-error.ts';

/** Objects and lists inside one another beyond this are malformed, as they are where traces are read. */
const MAX_DEPTH = 1_000;

const START = stateNumber('start');
const AFTER = stateNumber('after');
const NAME = stateNumber('name');
const VALUE = stateNumber('value');
const FIRST_ACTION = ACTIONS.findIndex((action) => action !== undefined);

/** What stands next inside the bracket that an action opens. */
const FIRST: Readonly<Record<'{' | '[', number>> = {
  '{': stateNumber('first name'),
  '[': stateNumber('first value'),
};

/**
 * Tells whether bytes are one JSON object, and makes nothing of them: no text, no objects, so it costs no memory
 * whatever it looks at. It goes on in steps, so that a large body does not hold up everything else.
 */
export class JsonScan {
  readonly #bytes: Uint8Array;
  /** For each level that is open, whether it is an object. */
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1);
  #depth = 0;
  #state = START;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    // A byte order mark is no JSON, but Windows tools put it there.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  /**
   * Looks at so many bytes more.
   * @returns whether all have been looked at.
   * @throws MalformedBodyError
   */
  step(bytes: number): boolean {
    const until = Math.min(this.#at + bytes, this.#bytes.length);
    const body = this.#bytes;
    const moves = JSON_MOVES;
    let state = this.#state;
    for (let at = this.#at; at < until; at++) {
      const next = moves[(state << 8) | (body[at] ?? 0)] ?? 0;
      state = next < FIRST_ACTION ? next : this.#act(ACTIONS[next]);
      if (state === 0) throw this.#faultAt(at);
    }
    this.#state = state;
    this.#at = until;
    if (until < body.length) return false;
    if (state !== AFTER || this.#depth > 0) throw this.#faultAt(until);
    return true;
  }

  /** @returns the state after it; 0 where it cannot stand here. */
  #act(action: Action | undefined): number {
    if (action === '{' || action === '[') {
      if (this.#depth === MAX_DEPTH) throw new MalformedBodyError(`expected at most ${MAX_DEPTH} levels`);
      this.#depth++;
      this.#isObject[this.#depth] = Number(action === '{');
      return FIRST[action];
    }
    if (this.#depth === 0) return 0;
    const isObject = this.#isObject[this.#depth] === 1;
    if (action === ',') return isObject ? NAME : VALUE;
    if (isObject !== (action === '}')) return 0;
    this.#depth--;
    return AFTER;
  }

  #faultAt(at: number): MalformedBodyError {
    if (this.#isOtherValue(at)) return new MalformedBodyError('expected the request to be an object', at);
    return new MalformedBodyError(at === this.#bytes.length ? 'expected more JSON' : 'expected JSON', at);
  }

  /** Whether a value that is no object begins here, and nothing stands before it. */
  #isOtherValue(at: number): boolean {
    const before = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, at).toString('latin1');
    return (
      /^(?:\xef\xbb\xbf)?\s*$/.test(before) && /["[\d\-tfn]/.test(String.fromCharCode(this.#bytes[at] ?? 0))
    );
  }
}
