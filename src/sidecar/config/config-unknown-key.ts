import { z } from 'zod';

/** What to say of a key that is none: the one that was probably meant, else all that there are. */
export function unknownKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const known = Object.keys(shapeAt(schema, path));
  const advice = ADVICE.get([...path, key].map(String).join('.'));
  if (advice !== undefined) return advice;
  const nearest = nearestOf(known, key.toLowerCase());
  if (nearest !== undefined) return `unknown key; did you mean ${nearest}?`;
  return `unknown key; expected ${known.length === 0 ? 'none' : known.join(', ')}`;
}

/** What a Collector's file may say and this one need not. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['service.pipelines', 'unknown key; there is one pipeline, which need not be declared: leave it out'],
  ['service.extensions', 'unknown key; extensions that are written are on: leave it out'],
  ['processors.batch', 'unknown key; requests are passed on as they come: leave it out'],
  [
    'processors.memory_limiter',
    'unknown key; memory is bounded by receivers.otlp.max_in_flight_size and processors.fanout.max_buffered_size',
  ],
]);

/** The keys that the schema knows at a path. */
function shapeAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodRawShape {
  const bare = bareOf(schema);
  if (!(bare instanceof z.ZodObject)) {
    return bare instanceof z.ZodArray && path.length > 0
      ? shapeAt(bare.element as z.ZodType, path.slice(1))
      : {};
  }
  const [key, ...rest] = path;
  if (key === undefined) return bare.shape;
  const shape = bare.shape as Record<PropertyKey, z.ZodType>;
  const next = Object.hasOwn(shape, key) ? shape[key] : undefined;
  return next === undefined ? {} : shapeAt(next, rest);
}

/** A schema without what is wrapped around it. */
export function bareOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional) return bareOf(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe && !(schema.out instanceof z.ZodTransform))
    return bareOf(schema.out as z.ZodType);
  return schema;
}

/** Who cuts a key short, or lengthens it, means that one, however many letters that is; any other slip is small. */
function nearestOf(known: readonly string[], key: string): string | undefined {
  const begun = known.filter((name) => begins(name, key));
  if (begun.length === 1) return begun[0];
  const [nearest] = known
    .map((name) => ({ name, distance: distance(key, name) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3) || begun.includes(name))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** Whether one is the other, cut short. */
function begins(a: string, b: string): boolean {
  return Math.min(a.length, b.length) >= 4 && (a.startsWith(b) || b.startsWith(a));
}

/** Edits that make one word of the other (Levenshtein), two neighbours swapped counting as one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
