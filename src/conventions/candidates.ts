import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { attributeNames } from './attribute-names.ts';
import { AttributeShapes } from './attribute-shapes.ts';
import { BUILT_IN_CONVENTIONS } from './built-in-conventions.ts';
import type { Convention } from './convention.ts';

/**
 * Which of the built-in conventions may have something to say of a span. A convention that reads none of the span's
 * attributes says of it what it says of a span without any, which for one scope and name it is asked once.
 */
export class Candidates {
  readonly #shapes: AttributeShapes;
  readonly #ask: (convention: Convention, span: Span) => Verdict | undefined;
  /** By scope and name: those that speak even of a span without attributes. */
  readonly #bare = new Map<string, Map<string, readonly number[]>>();
  #bareSize = 0;
  /** Spans of one scope come together. */
  #lastScope: string | undefined;
  #namesOfLast: Map<string, readonly number[]> | undefined;
  /** Which conventions those are, by the numbers of those that read an attribute, where none speaks without. */
  readonly #lists = new WeakMap<readonly number[], readonly Convention[]>();

  constructor(ask: (convention: Convention, span: Span) => Verdict | undefined) {
    this.#ask = ask;
    const names = BUILT_IN_CONVENTIONS.map((convention) => attributeNames([convention]));
    this.#shapes = new AttributeShapes((key) =>
      names.flatMap(({ wants }, index) => (wants(key) ? [index] : [])),
    );
  }

  /** In order of precedence. */
  of(span: Span): readonly Convention[] {
    const bare = this.#bareOf(span);
    const readers = this.#readersOf(span.attributes);
    if (readers === undefined) return BUILT_IN_CONVENTIONS;
    if (readers.length === 0 && bare.length === 0) return NOBODY;
    if (bare.length > 0) {
      const both = new Set([...bare, ...readers]);
      return BUILT_IN_CONVENTIONS.filter((_, index) => both.has(index));
    }
    let list = this.#lists.get(readers);
    if (list === undefined) {
      list = BUILT_IN_CONVENTIONS.filter((_, index) => readers.includes(index));
      this.#lists.set(readers, list);
    }
    return list;
  }

  /** An SDK's user can pass an object of any kind, so even its keys may throw: then all are asked. */
  #readersOf(attributes: Span['attributes']): readonly number[] | undefined {
    try {
      return this.#shapes.readersOf(attributes);
    } catch {
      return undefined;
    }
  }

  #bareOf(span: Span): readonly number[] {
    const { scopeName, name } = span;
    if (scopeName !== this.#lastScope) {
      this.#lastScope = scopeName;
      this.#namesOfLast = this.#bare.get(scopeName);
    }
    const known = this.#namesOfLast?.get(name);
    if (known !== undefined) return known;
    const bareSpan = { ...span, attributes: {} };
    const speakers = BUILT_IN_CONVENTIONS.flatMap((convention, index) =>
      this.#ask(convention, bareSpan) === undefined ? [] : [index],
    );
    // Span names may be without end (URLs): then the table starts anew.
    if (this.#bareSize >= MAX_BARE) {
      this.#bare.clear();
      this.#namesOfLast = undefined;
      this.#bareSize = 0;
    }
    this.#bareSize++;
    const names = this.#bare.get(scopeName) ?? new Map<string, readonly number[]>();
    names.set(name, speakers.length === 0 ? NONE : speakers);
    this.#bare.set(scopeName, names);
    this.#namesOfLast = names;
    return speakers;
  }
}

const MAX_BARE = 10_000;
const NONE: readonly number[] = [];
const NOBODY: readonly Convention[] = [];
