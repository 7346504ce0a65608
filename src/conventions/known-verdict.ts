import { ModelVerdict } from '../model/model-verdict.ts';
import { sharedVerdict } from '../model/shared-verdict.ts';
import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { boundedName } from '../support/bounded-name.ts';
import type { Draft } from '../support/draft.ts';
import { flat, flatValue } from '../support/flat.ts';
import { meaningful } from '../support/meaningful.ts';
import { type HandedOn, handedOn, isCount, type Judge } from './handed-on.ts';
import { type Recognition, withTexts } from './verdict.ts';
import type { WatchedSpan } from './watched-span.ts';

type Attributes = Span['attributes'];

/** A verdict, and what a span must be like for it. */
export class KnownVerdict {
  readonly #verdict: Verdict;
  readonly #scopeName: string;
  readonly #kind: number;
  readonly #names: readonly string[];
  readonly #values: readonly unknown[];
  readonly #handedOn: HandedOn;
  readonly #hasCounts: boolean;

  constructor(verdict: Verdict, span: Span, read: ReadonlyMap<string, unknown>, handedOn: HandedOn) {
    const own = new Set(Object.values(handedOn));
    // All spans of the shape lack the others.
    const present = [...read].filter(([name]) => name in span.attributes && !own.has(name));
    const flattened: Draft<Verdict> = { ...withTexts(verdict, flat), rule: flat(verdict.rule) };
    if (handedOn.callId !== undefined) flattened.callId = undefined;
    this.#verdict = sharedVerdict(flattened);
    this.#scopeName = flat(span.scopeName);
    this.#kind = span.kind;
    this.#names = present.map(([name]) => name);
    this.#values = present.map(([, value]) => flatValue(value));
    this.#handedOn = handedOn;
    this.#hasCounts = own.size > 0 && handedOn.callId === undefined;
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
    const verdict = this.#hasCounts ? this.#counted(attributes) : this.#verdict;
    if (verdict === undefined) return false;
    let callId: string | undefined;
    if (this.#handedOn.callId !== undefined) {
      const id = attributes[this.#handedOn.callId];
      const stated = typeof id === 'string' ? meaningful(id) : undefined;
      if (stated === undefined) return false;
      callId = boundedName(stated);
    }
    into.put(verdict, callId);
    return true;
  }

  /** The verdict with the span's own counts; undefined where one is no count that is surely handed on. */
  #counted(attributes: Attributes): Verdict | undefined {
    const names = this.#handedOn;
    const verdict = this.#verdict;
    const promptTokens = countIn(attributes, names.promptTokens, verdict.promptTokens);
    const outputTokens = countIn(attributes, names.outputTokens, verdict.outputTokens);
    const totalTokens = countIn(attributes, names.totalTokens, verdict.totalTokens);
    if (promptTokens === UNSURE || outputTokens === UNSURE || totalTokens === UNSURE) return undefined;
    const isSame =
      promptTokens === verdict.promptTokens &&
      outputTokens === verdict.outputTokens &&
      totalTokens === verdict.totalTokens;
    return isSame ? verdict : new ModelVerdict(verdict, { promptTokens, outputTokens, totalTokens });
  }
}

/** @param known what it is where no attribute is handed on. */
function countIn(
  attributes: Attributes,
  name: string | undefined,
  known: number | undefined,
): number | undefined {
  if (name === undefined) return known;
  const count = attributes[name];
  return isCount(count) ? count : UNSURE;
}

const UNSURE = -1;

/** @returns undefined where the verdict is not good for any other span. */
export function knownOf(
  verdict: Verdict,
  span: Span,
  watched: WatchedSpan,
  judge: Judge,
): KnownVerdict | undefined {
  const { read, isComplete } = watched;
  const isId = (value: unknown) => value !== undefined && value === verdict.callId;
  const mayBe = ([name, value]: [string, unknown]) => mayBeKept(name, value) || isId(value);
  if (!isComplete || ![...read].every(mayBe)) return undefined;
  const names = handedOn(verdict, span, watched, judge);
  const isKept = ([name, value]: [string, unknown]) => mayBeKept(name, value) || names.callId === name;
  return [...read].every(isKept) ? new KnownVerdict(verdict, span, read, names) : undefined;
}

/** Whether a value may be remembered: content never is, nor an object, which may change. */
export function mayBeKept(name: string, value: unknown): boolean {
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

/** In UTF-16 units. What is longer is no name, whatever it stands under. */
const MAX_VALUE_LENGTH = 96;
