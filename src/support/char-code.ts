/**
 * `text.charCodeAt(at)`, for loops. Where some class of the process extends String, as one of ioredis does, the engine
 * takes the methods of strings for what may change and looks each up where it is called, which makes such a loop take
 * five times as long; not so where the function is at hand.
 */
export function charCode(text: string, at: number): number {
  return charCodeAt.call(text, at);
}

const { charCodeAt } = String.prototype;
