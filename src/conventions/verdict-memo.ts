import { isDeepStrictEqual } from 'node:util';
import { sharedVerdict } from '../model/shared-verdict.ts';
import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { boundedName } from '../support/bounded-name.ts';
import { flat } from '../support/flat.ts';
import { meaningful } from '../support/meaningful.ts';
import { type Recognition, withTexts } from './verdict.ts';
import { WatchedSpan } from './watched-span.ts';

/** Makes the verdict of a span; pure. @param isAgain whether faults were told of already. */
export type Judge = (span: Span, isAgain?: boolean) => Verdict;

/**
 * Remembers the verdicts of spans of one shape, that is, of the same attribute names in the same order. What a judge looks
 * at is noted; a span that has the same in all these places has the same verdict. The id of a call may differ: it differs
 * from call to call, and is only handed on.
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
   * Puts the verdict of a span that is as good as this one into `into`, with this one's call id.
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
      this.#known.set(kept(value), named);
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
/** So that where spans differ in what is looked at, as models' calls do in their counts of tokens, little is lost. */
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

/** A verdict, and what a span must be like for it. */
class KnownVerdict {
  readonly #verdict: Verdict;
  readonly #scopeName: string;
  readonly #kind: number;
  readonly #names: readonly string[];
  readonly #values: readonly unknown[];
  readonly #idName: string | undefined;

  /** @param idName the attribute that holds the call's id. */
  constructor(verdict: Verdict, span: Span, read: ReadonlyMap<string, unknown>, idName: string | undefined) {
    // All spans of the shape lack the others.
    const present = [...read].filter(([name]) => name in span.attributes && name !== idName);
    const own = { ...withTexts(verdict, flat), rule: flat(verdict.rule) };
    this.#verdict = sharedVerdict(idName === undefined ? own : { ...own, callId: undefined });
    this.#scopeName = flat(span.scopeName);
    this.#kind = span.kind;
    this.#names = present.map(([name]) => name);
    this.#values = present.map(([, value]) => kept(value));
    this.#idName = idName;
  }

  /** The attribute that holds the tool's name, which is read after what says that it is a tool; undefined where none does. */
  get toolAttribute(): string | undefined {
    const { role, name } = this.#verdict;
    return role === 'tool' && name !== undefined ? this.#names[this.#values.lastIndexOf(name)] : undefined;
  }

  /** @returns whether the span is like that; then the verdict is in `into`. */
  fits(span: Span, into: Recognition): boolean {
    if (span.scopeName !== this.#scopeName || span.kind !== this.#kind) return false;
    const { attributes } = span;
    for (let at = 0; at < this.#names.length; at++) {
      if (attributes[this.#names[at] ?? ''] !== this.#values[at]) return false;
    }
    let callId: string | undefined;
    if (this.#idName !== undefined) {
      const id = attributes[this.#idName];
      const stated = typeof id === 'string' ? meaningful(id) : undefined;
      if (stated === undefined) return false;
      callId = boundedName(stated);
    }
    into.put(this.#verdict, callId);
    return true;
  }
}

/** @returns undefined where the verdict is not good for any other span. */
function knownOf(verdict: Verdict, span: Span, watched: WatchedSpan, judge: Judge): KnownVerdict | undefined {
  const { read, isComplete } = watched;
  const isId = (value: unknown) => value !== undefined && value === verdict.callId;
  if (!isComplete || [...read].some(([name, value]) => !isId(value) && !mayBeKept(name, value)))
    return undefined;
  const idName = verdict.callId === undefined ? undefined : idNameOf(verdict, span, watched, judge);
  if (idName === undefined && [...read].some(([name, value]) => !mayBeKept(name, value))) return undefined;
  return new KnownVerdict(verdict, span, read, idName);
}

/**
 * The one attribute that is the call's id, where with another id there the verdict is the same but for that.
 * @returns undefined where there is none.
 */
function idNameOf(verdict: Verdict, span: Span, { read }: WatchedSpan, judge: Judge): string | undefined {
  const names = [...read.keys()].filter((name) => read.get(name) === verdict.callId);
  const [idName] = names;
  if (idName === undefined || names.length > 1) return undefined;
  const callId = verdict.callId === ANOTHER_ID ? `${ANOTHER_ID}0` : ANOTHER_ID;
  const other = new WatchedSpan(span, { [idName]: callId });
  const isSame = isDeepStrictEqual(judge(other.span, true), { ...verdict, callId });
  return isSame && isDeepStrictEqual([...other.read.keys()], [...read.keys()]) ? idName : undefined;
}

const ANOTHER_ID = 'another_id_0123456789';

/** Whether a value may be remembered: content never is, nor an object, which may change. */
function mayBeKept(name: string, value: unknown): boolean {
  if (CONTENT.has(name)) return value === undefined;
  if (typeof value === 'string') return value.length <= MAX_VALUE_LENGTH;
  return typeof value !== 'object' && typeof value !== 'function';
}

/** Of the attributes that conventions look into, those that hold what models and tools said. */
const CONTENT: ReadonlySet<string> = new Set([
  'ai.response.toolCalls',
  'gen_ai.output.messages',
  'traceloop.entity.output',
]);

/** A value as it is remembered. */
function kept(value: unknown): unknown {
  return typeof value === 'string' ? flat(value) : value;
}

/** In UTF-16 units. What is longer is no name, whatever it stands under. */
const MAX_VALUE_LENGTH = 96;
