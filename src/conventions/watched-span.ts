import type { Span } from '../model/span.ts';

/**
 * Stands for a span before whoever judges it, and notes what is looked at. Which attributes there are, and in what order,
 * is not noted: that is the same for all spans of one shape.
 */
export class WatchedSpan {
  /** Values of the attributes that were read, by name; of an absent one undefined. */
  readonly read: ReadonlyMap<string, unknown>;
  readonly span: Span;
  #isComplete = true;

  /** @param instead values of attributes in place of the span's own. */
  constructor(from: Span, instead: Readonly<Record<string, unknown>> = {}) {
    const read = new Map<string, unknown>();
    this.read = read;
    const attributes = new Proxy<Record<string, unknown>>(Object.create(null), {
      get: (_, name) => {
        if (typeof name !== 'string') return undefined;
        read.set(name, UNREADABLE);
        const value = Object.hasOwn(instead, name) ? instead[name] : from.attributes[name];
        read.set(name, value);
        return value;
      },
      has: (_, name) => name in from.attributes,
      ownKeys: () => Reflect.ownKeys(from.attributes),
      getOwnPropertyDescriptor: (_, name) => {
        const found = Reflect.getOwnPropertyDescriptor(from.attributes, name);
        const get = () => attributes[String(name)];
        return found && { get, enumerable: found.enumerable === true, configurable: true };
      },
    });
    this.span = new Proxy<Span>(Object.create(null), {
      get: (_, field) => {
        if (field === 'attributes') return attributes;
        if (!NOTED.has(field)) this.#isComplete = false;
        return from[field as keyof Span];
      },
      ownKeys: () => {
        this.#isComplete = false;
        return Reflect.ownKeys(from);
      },
      getOwnPropertyDescriptor: (_, field) => {
        this.#isComplete = false;
        return { value: from[field as keyof Span], enumerable: true, configurable: true };
      },
    });
  }

  /** Whether `read`, name, kind and scope, and what attributes there are, is all that was looked at. */
  get isComplete(): boolean {
    return this.#isComplete;
  }
}

/** Of an attribute that throws when it is read; an object, as which no value is remembered. */
const UNREADABLE = {};
const NOTED: ReadonlySet<string | symbol> = new Set<keyof Span>(['name', 'kind', 'scopeName']);
