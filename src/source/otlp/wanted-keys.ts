import { WANTS_NOTHING, type Wants } from '../../conventions/attribute-names.ts';
import { KeyFilter } from './key-filter.ts';
import { MAX_TABLE_TEXT, TextTable, textOf } from './text-table.ts';
import { MAX_KEY_LENGTH } from './value-budget.ts';

/** Tells of attribute keys, as they lie in a body, which are wanted. Asks once for each key that comes again. */
export class WantedKeys {
  readonly #table = new TextTable();
  #wants: Wants = WANTS_NOTHING;
  #filter = new KeyFilter([]);

  /** @param wants must always say the same of the same key. */
  use(wants: Wants): void {
    if (wants === this.#wants) return;
    this.#wants = wants;
    this.#filter = new KeyFilter(wants.names);
    this.#table.clearMarks();
  }

  /** @returns undefined for a key that is not wanted. */
  find(view: DataView, from: number, length: number): string | undefined {
    return this.#filter.mayBeWanted(view, from, length) ? this.#find(view, from, length) : undefined;
  }

  #find(view: DataView, from: number, length: number): string | undefined {
    if (length > MAX_TABLE_TEXT) return this.#findLong(view, from, length);
    const slot = this.#table.find(view, from, length);
    let mark = this.#table.markOf(slot);
    if (mark === 0) {
      mark = this.#wants(this.#table.text(slot)) ? WANTED : UNWANTED;
      this.#table.mark(slot, mark);
    }
    return mark === WANTED ? this.#table.text(slot) : undefined;
  }

  #findLong(view: DataView, from: number, length: number): string | undefined {
    // A UTF-16 unit is at most three bytes.
    if (length > MAX_KEY_LENGTH * 3) return undefined;
    const key = textOf(view, from, length);
    return key.length <= MAX_KEY_LENGTH && this.#wants(key) ? key : undefined;
  }
}

const UNWANTED = 1;
const WANTED = 2;
