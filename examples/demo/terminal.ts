/** Colours where they can be seen: on a terminal, unless NO_COLOR says no (https://no-color.org). */
export interface Terminal {
  readonly columns: number;
  print(line?: string): void;
  /** Shows what is going on, until the next line takes its place; nothing where output is not a terminal. */
  progress(line: string): void;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
  yellow(text: string): string;
}

/** The part of `process.stdout` that is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export function openTerminal(output: Output, env: Readonly<Record<string, string | undefined>>): Terminal {
  const isTerminal = output.isTTY === true;
  const hasColours = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (code: number, end: number) => (text: string) =>
    hasColours ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  const clear = isTerminal ? '\r\u001b[K' : '';
  return {
    columns: Math.min(Math.max(output.columns ?? 80, 60), 100),
    print: (line = '') => {
      output.write(`${clear}${line}\n`);
    },
    progress: (line) => {
      if (isTerminal) output.write(`${clear}${line}`);
    },
    bold: paint(1, 22),
    dim: paint(2, 22),
    green: paint(32, 39),
    cyan: paint(36, 39),
    yellow: paint(33, 39),
  };
}
