/** Where a text stops being JSON, and what should have stood there. */
export interface JsonFault {
  /** In UTF-16 units from the start; the text's length where it ends too early. */
  readonly offset: number;
  /** Completes "expected …". */
  readonly expected: string;
}

/**
 * Finds the first place where a text is not JSON. JSON.parse would say it too, but its messages quote the text, which
 * may be content, and name no place for some faults. So this looks again, only where JSON.parse failed.
 *
 * @returns undefined where the text is JSON.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  return new FaultFinder(text).find();
}

/** What may stand next. `first` of a list or an object may also be its closing bracket. */
type State = 'value' | 'first value' | 'name' | 'first name' | 'colon' | 'separator';

const SPACE = /[ \t\r\n]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** A walk with its own stack, so that depth costs no recursion. */
class FaultFinder {
  readonly #text: string;
  /** The closing brackets that are awaited, innermost last. */
  readonly #open: string[] = [];
  #at = 0;
  #state: State = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  find(): JsonFault | undefined {
    for (;;) {
      this.#pass(SPACE);
      if (this.#state === 'separator' && this.#open.length === 0) {
        return this.#at === this.#text.length ? undefined : this.#fault('the end');
      }
      const fault = this.#step();
      if (fault !== undefined) return fault;
    }
  }

  #step(): JsonFault | undefined {
    const closer = this.#open.at(-1) ?? '';
    const char = this.#text[this.#at] ?? '';
    const mayClose = this.#state === 'separator' || this.#state.startsWith('first');
    if (mayClose && char !== '' && char === closer) {
      this.#open.pop();
      return this.#move('separator');
    }
    switch (this.#state) {
      case 'separator':
        if (char !== ',') return this.#fault(`"," or "${closer}"`);
        return this.#move(closer === '}' ? 'name' : 'value');
      case 'colon':
        return char === ':' ? this.#move('value') : this.#fault('":"');
      case 'name':
      case 'first name':
        this.#state = 'colon';
        return char === '"' ? this.#passString() : this.#fault('a name in double quotes');
      case 'value':
      case 'first value':
        return this.#passValue(char);
    }
  }

  #passValue(char: string): JsonFault | undefined {
    if (char === '{' || char === '[') {
      this.#open.push(char === '{' ? '}' : ']');
      return this.#move(char === '{' ? 'first name' : 'first value');
    }
    this.#state = 'separator';
    if (char === '"') return this.#passString();
    return this.#pass(SCALAR) ? undefined : this.#fault('a value');
  }

  #passString(): JsonFault | undefined {
    this.#at++;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) {
        this.#at++;
        return undefined;
      }
      if (unit === 0x5c) {
        if (!this.#pass(ESCAPE)) return this.#fault('a valid escape');
      } else if (unit >= 0x20) this.#at++;
      else
        return this.#fault(Number.isNaN(unit) ? 'the end of a string' : 'no control character in a string');
    }
  }

  /** Moves over what `pattern` matches here. */
  #pass(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #move(state: State): undefined {
    this.#at++;
    this.#state = state;
  }

  #fault(expected: string): JsonFault {
    return { offset: this.#at, expected };
  }
}
