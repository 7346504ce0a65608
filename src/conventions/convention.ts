import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';

/**
 * How one framework or standard marks its spans. A convention is data about a foreign format: attribute names are
 * copied with the version they were read from, and nothing is imported from the framework.
 */
export interface Convention {
  /** Short, lower-case, stable; prefix of its rules. */
  readonly name: string;
  /** The release or revision its attribute names were read from. */
  readonly source: string;
  /**
   * The attribute names it may read. Sources decode no other; one `*` in a name stands for any characters.
   */
  readonly attributes: readonly string[];
  /**
   * Judges one span by the attributes it has so far. Pure; must cope with values of any type. A call's id and counts of
   * tokens are handed on, and decide nothing but by being there: for built-in conventions verdicts are remembered for calls
   * of other ids and counts.
   * @returns undefined where the convention has nothing to say of the span.
   */
  recognise(span: Span): Verdict | undefined;
}
