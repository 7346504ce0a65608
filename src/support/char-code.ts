/**
 * `text.charCodeAt(at)`, for loops. Where some class of the process extends String, as one of ioredis does, the engine
 * takes the methods of strings for what may change and looks each up where it is called, which makes such a loop take
 * five times as long; not so where the function is at hand. Bound, it is known to the engine by the call itself, however
 * the modules are joined into files.
 */
export const charCode = Function.prototype.call.bind(String.prototype.charCodeAt) as (
  text: string,
  at: number,
) => number;
