/** What an error says, whatever was thrown; never throws itself, as objects may where they are made text of. */
export function messageOf(error: unknown): string {
  return told(() => String(error instanceof Error ? error.message : error));
}

/** All that is told of an error that may hold anything: what kind of one it is. Never throws. */
export function kindOf(error: unknown): string {
  return told(() => (error instanceof Error ? String(error.name) : typeof error));
}

function told(text: () => string): string {
  try {
    return text();
  } catch {
    return 'an error that cannot be told';
  }
}
