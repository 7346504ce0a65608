import type { Span } from '../model/span.ts';

/** Stands for a span before whoever judges it, and notes what is looked at. */
export class WatchedSpan {
  /** Values of the attributes that were read, by name; of an absent one undefined. */
  readonly read: ReadonlyMap<string, unknown>;
  readonly span: Span;
  #isWhole = true;

  /** @param instead values of attributes in place of the span's own. */
  constructor(from: Span, instead: Readonly<Record<string, unknown>> = {}) {
    const read = new Map<string, unknown>();
    const attributes = this.#watched(from.attributes, (name) => {
      read.set(name, UNREADABLE);
      const value = Object.hasOwn(instead, name) ? instead[name] : from.attributes[name];
      read.set(name, value);
      return value;
    });
    this.read = read;
    this.span = this.#watched(from, (field) => {
      if (field === 'attributes') return attributes;
      if (!NOTED.has(field)) this.#isWhole = false;
      return from[field as keyof Span];
    });
  }

  /** Whether `read`, name, kind and scope are all that was looked at. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whoever asks for more of an object than the value of a field may learn anything of it. */
  #watched<Watched extends object>(object: Watched, get: (field: string) => unknown): Watched {
    return new Proxy(Object.create(null), {
      get: (_, field) => (typeof field === 'string' ? get(field) : undefined),
      has: (_, field) => {
        this.#isWhole = false;
        return field in object;
      },
      ownKeys: () => {
        this.#isWhole = false;
        return Reflect.ownKeys(object);
      },
      getOwnPropertyDescriptor: (_, field) => {
        const found = Reflect.getOwnPropertyDescriptor(object, field);
        return found && { ...found, configurable: true };
      },
    });
  }
}

/** Of an attribute that throws when it is read; an object, as which no value is remembered. */
const UNREADABLE = {};
const NOTED: ReadonlySet<string> = new Set<keyof Span>(['name', 'kind', 'scopeName']);
