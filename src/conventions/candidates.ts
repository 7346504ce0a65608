import { memoised } from '../model/memo.ts';
import { plainSpan } from '../model/numeric-span.ts';
import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { flat } from '../support/flat.ts';
import { attributeReaders } from './attribute-names.ts';
import { type AttributeShape, AttributeShapes, type BareSpan } from './attribute-shapes.ts';
import { BUILT_IN_CONVENTIONS } from './built-in-conventions.ts';
import type { Convention } from './convention.ts';

/**
 * Which of the built-in conventions may have something to say of a span. A convention that reads none of the span's
 * attributes says of it what it says of a span without any, which for one scope and name it is asked once.
 */
export class Candidates {
  readonly #shapes: AttributeShapes;
  readonly #recognise: (convention: Convention, span: Span) => Verdict | undefined;
  /** By scope and name. */
  readonly #bare = new Map<string, Map<string, BareSpan>>();
  #bareSize = 0;
  /** Spans of one scope come together. */
  #lastScope: string | undefined;
  #namesOfLast: Map<string, BareSpan> | undefined;
  /** The conventions themselves, by the numbers of those that read an attribute and of those that speak without. */
  readonly #lists = new WeakMap<readonly number[], Map<readonly number[], readonly Convention[]>>();
  /** The same list of numbers for all names of which the same conventions speak. */
  readonly #speakers = memoised(MAX_BARE, (numbers) => numbers.split(',').map(Number));

  constructor(recognise: (convention: Convention, span: Span) => Verdict | undefined) {
    this.#recognise = recognise;
    this.#shapes = new AttributeShapes(attributeReaders(BUILT_IN_CONVENTIONS));
  }

  /** In order of precedence. @param shape of the span's attributes; undefined where it could not be told: all are asked. */
  of(span: Span, shape: AttributeShape | undefined): readonly Convention[] {
    if (shape === undefined) return BUILT_IN_CONVENTIONS;
    const bare = this.#speakersOf(span, shape);
    const { readers } = shape;
    if (readers.length === 0 && bare.length === 0) return NOBODY;
    const lists = this.#lists.get(readers) ?? new Map<readonly number[], readonly Convention[]>();
    const known = lists.get(bare);
    if (known !== undefined) return known;
    const list = BUILT_IN_CONVENTIONS.filter((_, index) => bare.includes(index) || readers.includes(index));
    this.#lists.set(readers, lists.set(bare, list));
    return list;
  }

  /** An SDK's user can pass an object of any kind, so even to list its keys may throw. */
  shapeOf({ attributes }: Span): AttributeShape | undefined {
    try {
      return this.#shapes.of(attributes);
    } catch {
      return undefined;
    }
  }

  /** By number: those that speak of a span of this scope and name even where it has no attributes. */
  #speakersOf(span: Span, shape: AttributeShape): readonly number[] {
    const { scopeName, name } = span;
    const { lastBare } = shape;
    // Spans with the same attributes mostly have the same name.
    if (lastBare !== undefined && lastBare.name === name && lastBare.scopeName === scopeName) {
      return lastBare.speakers;
    }
    if (scopeName !== this.#lastScope) {
      this.#lastScope = scopeName;
      this.#namesOfLast = this.#bare.get(scopeName);
    }
    const known = this.#namesOfLast?.get(name);
    if (known === undefined) return this.#ask(span);
    shape.lastBare = known;
    return known.speakers;
  }

  #ask(span: Span): readonly number[] {
    const { scopeName, name } = span;
    const bareSpan = { ...plainSpan(span), attributes: {} };
    const numbers = BUILT_IN_CONVENTIONS.flatMap((convention, index) =>
      this.#recognise(convention, bareSpan) === undefined ? [] : [index],
    );
    const speakers = numbers.length === 0 ? NONE : this.#speakers(numbers.join());
    if (name.length > MAX_NAME_LENGTH || scopeName.length > MAX_NAME_LENGTH) return speakers;
    // Span names may be without end (URLs): then the table starts anew.
    if (this.#bareSize >= MAX_BARE) {
      this.#bare.clear();
      this.#namesOfLast = undefined;
      this.#bareSize = 0;
    }
    this.#bareSize++;
    const bare = { name: flat(name), scopeName: flat(scopeName), speakers };
    const names = this.#bare.get(scopeName) ?? new Map<string, BareSpan>();
    names.set(bare.name, bare);
    this.#bare.set(bare.scopeName, names);
    this.#namesOfLast = names;
    return speakers;
  }
}

const MAX_BARE = 10_000;
/** In UTF-16 units; what is longer is not remembered. */
const MAX_NAME_LENGTH = 256;
const NONE: readonly number[] = [];
const NOBODY: readonly Convention[] = [];
