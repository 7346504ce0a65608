type Attributes = Readonly<Record<string, unknown>>;

/**
 * Tells which conventions read any of the attributes that a span has. Programs make spans in a few shapes, so the order
 * in which the keys stand is followed through a tree of those seen before: a step a key, and mostly no look-up.
 */
export class AttributeShapes {
  readonly #readers: (key: string) => readonly number[];
  readonly #root: Shape = new Shape([]);
  #size = 1;

  /** @param readers which conventions read the attribute of this name, by number in rising order. */
  constructor(readers: (key: string) => readonly number[]) {
    this.#readers = readers;
  }

  /** The numbers of the conventions, in rising order; the same list for spans of one shape. */
  readersOf(attributes: Attributes): readonly number[] {
    let shape = this.#root;
    for (const key in attributes) shape = shape.lastKey === key ? shape.last : this.#next(shape, key);
    return shape.readers;
  }

  #next(shape: Shape, key: string): Shape {
    const known = shape.next?.get(key);
    if (known !== undefined) {
      shape.lastKey = key;
      shape.last = known;
      return known;
    }
    const more = this.#readers(key).filter((reader) => !shape.readers.includes(reader));
    const readers = more.length === 0 ? shape.readers : [...shape.readers, ...more].sort((a, b) => a - b);
    const made = new Shape(readers);
    // Keys may be without end (names of headers, say): then what is found is not kept.
    if (this.#size < MAX_SHAPES) {
      this.#size++;
      shape.next ??= new Map();
      shape.next.set(key, made);
    }
    return made;
  }
}

const MAX_SHAPES = 10_000;

/** A sequence of keys. */
class Shape {
  readonly readers: readonly number[];
  /** The sequences that are one key longer. */
  next: Map<string, Shape> | undefined;
  /** The one of them that came last. */
  lastKey: string | undefined;
  last: Shape = this;

  constructor(readers: readonly number[]) {
    this.readers = readers;
  }
}
