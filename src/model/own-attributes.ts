/** Attributes of a span, or a map among their values. */
export type Attributes = Record<string, unknown>;

/**
 * Objects that inherit nothing, so that `__proto__` is a key like any other. Unlike objects without a prototype, which
 * the engine keeps as hash tables, they are small and quick to read.
 */
class Inheritless {
  [key: string]: unknown;
}
Object.setPrototypeOf(Inheritless.prototype, null);
Reflect.deleteProperty(Inheritless.prototype, 'constructor');

export function newAttributes(): Attributes {
  return new Inheritless();
}

/** Of a span of which nothing is wanted; most spans of most requests are such. */
export const NO_ATTRIBUTES: Attributes = Object.freeze(newAttributes());

/**
 * Whether there is nothing but what the object holds itself, as in all attributes but of an SDK's user who passes other
 * objects. Throws what such an object throws.
 */
export function hasOwnOnly(attributes: object): boolean {
  const prototype = Object.getPrototypeOf(attributes);
  return prototype === Object.prototype || prototype === Inheritless.prototype || prototype === null;
}
