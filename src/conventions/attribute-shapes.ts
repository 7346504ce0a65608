import { MemoSpace, VerdictMemo } from './verdict-memo.ts';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Tells which attributes a span has, and so which conventions read any of them. Programs make spans in a few shapes, and
 * these in much the same order again and again. So the keys are compared with those of what came next the last time;
 * where they are others they are followed through a tree of the shapes seen before.
 */
export class AttributeShapes {
  readonly #readers: (key: string) => readonly number[];
  readonly #memoSpace = new MemoSpace();
  #root = new Shape([]);
  #size = 1;
  #last = this.#root;

  /** @param readers which conventions read the attribute of this name, by number in rising order. */
  constructor(readers: (key: string) => readonly number[]) {
    this.#readers = readers;
  }

  /** The same for spans with the same attributes in the same order. */
  of(attributes: Attributes): AttributeShape {
    const guess = this.#last.follower;
    const { keys } = guess;
    let count = 0;
    for (const key in attributes) {
      // Not beyond their end, where nothing stands: texts alone are compared in a step.
      if (count >= keys.length || keys[count] !== key) return this.#walk(attributes);
      count++;
    }
    if (count !== keys.length) return this.#walk(attributes);
    this.#last = guess;
    return guess;
  }

  #walk(attributes: Attributes): AttributeShape {
    let shape = this.#root;
    for (const key in attributes) {
      shape = (shape.lastKey === key ? shape.last : undefined) ?? this.#next(shape, key);
    }
    if (!shape.isFamiliar) this.#meet(shape);
    if (shape.keys !== UNKNOWN) {
      this.#last.follower = shape;
      this.#last = shape;
    }
    return shape;
  }

  /** A span's shape, and no beginning of one: from the second time on, what is remembered of it may be of use. */
  #meet(shape: Shape): void {
    if (shape.isMet) {
      shape.isFamiliar = true;
      shape.keys = keysOf(shape);
      if (shape.readers.length > 0) shape.memo = new VerdictMemo(this.#memoSpace);
    }
    shape.isMet = true;
  }

  #next(shape: Shape, key: string): Shape {
    const known = shape.next?.get(key);
    if (known === undefined) return this.#add(shape, key);
    shape.lastKey = key;
    shape.last = known;
    return known;
  }

  /** On its own, as memory is taken wherever a function begins in which another one refers to what it was given. */
  #add(shape: Shape, key: string): Shape {
    const more = this.#readers(key).filter((reader) => !shape.readers.includes(reader));
    const readers = more.length === 0 ? shape.readers : [...shape.readers, ...more].sort((a, b) => a - b);
    // Keys may be without end (names of headers, say): then the tree starts anew.
    if (this.#size >= MAX_SHAPES) {
      this.#root = new Shape([]);
      this.#size = 1;
      this.#last = this.#root;
      return new Shape(readers, shape, key);
    }
    this.#size++;
    const made = new Shape(readers, shape, key);
    shape.next ??= new Map();
    shape.next.set(key, made);
    return made;
  }
}

const MAX_SHAPES = 10_000;
/** Longer sequences are not kept on their own: ten thousand may begin alike, and differ in their last key. */
const MAX_KEYS = 64;
/** Stands for keys that are not kept: what has these is never guessed, but for the root, which has none. */
const UNKNOWN: readonly string[] = [];

/** As they stand in the tree: foreign attributes may tell others when they are asked again. */
function keysOf(shape: Shape): readonly string[] {
  const keys: string[] = [];
  for (let at = shape; at.before !== undefined; at = at.before)
    if (keys.push(at.key) > MAX_KEYS) return UNKNOWN;
  return keys.reverse();
}

/** A sequence of keys. */
export interface AttributeShape {
  /** The numbers of the conventions that read any of them, in rising order. */
  readonly readers: readonly number[];
  /** What is remembered of spans with these; undefined for the first of them, and where nobody reads them. */
  readonly memo: VerdictMemo | undefined;
  /** What came last with these attributes. */
  lastBare: BareSpan | undefined;
}

/** A span but for its attributes, and the numbers of the conventions that have something to say of that. */
export interface BareSpan {
  readonly name: string;
  readonly scopeName: string;
  readonly speakers: readonly number[];
}

class Shape implements AttributeShape {
  readonly readers: readonly number[];
  memo: VerdictMemo | undefined;
  /** Whether a span had just these, and whether a second one did. */
  isMet = false;
  isFamiliar = false;
  /** Known of what is familiar. */
  keys = UNKNOWN;
  /** What came after it the last time. */
  follower: Shape = this;
  /** The sequences that are one key longer. */
  next: Map<string, Shape> | undefined;
  /** The one of them that came last. Never undefined: two keys that are texts are compared in a step. */
  lastKey = '';
  last: Shape | undefined;
  lastBare: BareSpan | undefined;

  /** The sequence without its last key, and that. */
  readonly before: Shape | undefined;
  readonly key: string;

  constructor(readers: readonly number[], before?: Shape, key = '') {
    this.readers = readers;
    this.before = before;
    this.key = key;
  }
}
