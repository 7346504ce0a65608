/** Colours of the terminal, or none: a function for each that wraps text in its escape codes. */
export interface Style {
  readonly isColoured: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
  cyan(text: string): string;
}

/** One of the style's functions. */
export type Paint = (text: string) => string;

export function styleOf(isColoured: boolean): Style {
  const paint =
    (on: number, off: number): Paint =>
    (text) =>
      isColoured && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    isColoured,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
    cyan: paint(36, 39),
  };
}

/**
 * Whether output is coloured. `NO_COLOR` (no-color.org) says no wherever it goes, `FORCE_COLOR` says yes or, with `0`,
 * no; else a terminal is, unless it is a dumb one.
 */
export function isColoured(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') {
    return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  }
  return isTerminal && env.TERM !== 'dumb';
}
