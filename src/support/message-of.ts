/** What an error says, whatever was thrown; never throws itself, as objects may where they are made text of. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error that cannot be told';
  }
}
