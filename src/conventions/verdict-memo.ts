import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { flat, flatValue } from '../support/flat.ts';
import type { Judge } from './handed-on.ts';
import { type KnownVerdict, knownOf, mayBeKept } from './known-verdict.ts';
import type { Recognition } from './verdict.ts';
import { WatchedSpan } from './watched-span.ts';

/**
 * Remembers the verdicts of spans of one shape, that is, of the same attribute names in the same order. What a judge looks
 * at is noted; a span that has the same in all these places has the same verdict. What is only handed on may differ, as it
 * does from call to call: the id of a call, and counts of tokens.
 */
export class VerdictMemo {
  readonly #space: MemoSpace;
  /** The attribute that holds the names of tools; undefined where none is known to. */
  #attribute: string | undefined;
  /** By its values. */
  readonly #known = new Map<unknown, NamedVerdicts>();
  #credit = MAX_CREDIT;

  constructor(space: MemoSpace) {
    this.#space = space;
  }

  /**
   * Puts the verdict of a span that is as good as this one into `into`, with what of this one is handed on.
   * @returns whether there was one.
   */
  find(span: Span, into: Recognition): boolean {
    const isFound = this.#known.get(this.#valueOf(span))?.find(span, into) === true;
    if (isFound && this.#credit < MAX_CREDIT) this.#credit += SAVED;
    return isFound;
  }

  /** Makes the verdict of a span and remembers it; undefined, without making it, where that is not worth while. */
  learn(span: Span, judge: Judge): Verdict | undefined {
    if (this.#credit < COST) {
      this.#credit++;
      return undefined;
    }
    if (span.name.length > MAX_NAME_LENGTH || span.scopeName.length > MAX_NAME_LENGTH) return undefined;
    this.#credit -= COST;
    const watched = new WatchedSpan(span);
    const verdict = judge(watched.span);
    try {
      const known = knownOf(verdict, span, watched, judge);
      if (known !== undefined) this.#add(span, known);
    } catch {
      // Attributes of an SDK's user may throw where they are looked at again.
    }
    return verdict;
  }

  #add(span: Span, known: KnownVerdict): void {
    this.#space.take(this);
    if (this.#attribute === undefined && known.toolAttribute !== undefined) {
      this.#attribute = known.toolAttribute;
      this.#known.clear();
    }
    const value = this.#valueOf(span);
    // The judge need not have looked at this attribute, so nothing has said yet that its value may be kept.
    if (this.#attribute !== undefined && !mayBeKept(this.#attribute, value)) return;
    let named = this.#known.get(value);
    if (named === undefined) {
      named = new NamedVerdicts();
      this.#known.set(flatValue(value), named);
    }
    named.add(span.name, known);
  }

  #valueOf({ attributes }: Span): unknown {
    return this.#attribute === undefined ? undefined : attributes[this.#attribute];
  }

  forget(): void {
    this.#known.clear();
    this.#attribute = undefined;
  }
}

/** To remember a verdict costs as much as to find 32 saves. Who has no credit left is given some, but slowly. */
const SAVED = 8;
const COST = 32 * SAVED;
/** So that where spans differ in what is looked at, little is lost. */
const MAX_CREDIT = 64 * COST;
/** In UTF-16 units. */
const MAX_NAME_LENGTH = 256;

/** Bounds how many verdicts are remembered in all: after so many, all are forgotten. */
export class MemoSpace {
  static readonly #MAX = 4_096;
  readonly #users = new Set<VerdictMemo>();
  #taken = 0;

  /** For one verdict more. */
  take(user: VerdictMemo): void {
    if (this.#taken === MemoSpace.#MAX) {
      for (const memo of this.#users) memo.forget();
      this.#users.clear();
      this.#taken = 0;
    }
    this.#users.add(user);
    this.#taken++;
  }
}

/**
 * Verdicts by the names of their spans. Those of one tool mostly have one name, and a name is made anew for each span: to
 * compare it with the last one is less work than to look it up, which takes its hash.
 */
class NamedVerdicts {
  readonly #byName = new Map<string, Namesakes>();
  #last: Namesakes = { name: '', verdicts: [] };

  find(span: Span, into: Recognition): boolean {
    if (span.name !== this.#last.name) {
      const namesakes = this.#byName.get(span.name);
      if (namesakes === undefined) return false;
      this.#last = namesakes;
    }
    for (const known of this.#last.verdicts) if (known.fits(span, into)) return true;
    return false;
  }

  add(name: string, known: KnownVerdict): void {
    const before = this.#byName.get(name)?.verdicts.slice(0, MAX_ALIKE - 1) ?? [];
    this.#last = { name: flat(name), verdicts: [known, ...before] };
    this.#byName.set(this.#last.name, this.#last);
  }
}

interface Namesakes {
  readonly name: string;
  readonly verdicts: readonly KnownVerdict[];
}

/** Verdicts of one name, and one tool. */
const MAX_ALIKE = 8;
