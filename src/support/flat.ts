/** A copy of a text that shares no memory with others: the engine keeps the whole of a text for any part of it. */
export function flat(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** A value that is kept for long: of a text such a copy. */
export function flatValue(value: unknown): unknown {
  return typeof value === 'string' ? flat(value) : value;
}
