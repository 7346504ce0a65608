import { DiagLogLevel, diag } from '@opentelemetry/api';
import { type Logger, pino } from 'pino';
import type { Output } from './output.ts';
import { printable } from './printable.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes log lines: JSON objects, or on a terminal what a person reads. */
export function createLog(level: LogLevel, encoding: 'json' | 'console', output: Output): Logger {
  const write = (line: string) => output.write(encoding === 'json' ? line : pretty(line, output));
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

/** What the library and others tell through the API's `diag` goes into the log. Details of others may hold anything. */
export function logDiagnostics(log: Logger, level: LogLevel): void {
  const told =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, ...details: readonly unknown[]) => {
      const isOurs = message.startsWith(OURS);
      const text = isOurs ? message.slice(OURS.length) : message;
      const detail = isOurs ? details.find((item) => typeof item === 'string') : undefined;
      log[method]({ ...(detail !== undefined && { detail }) }, text);
    };
  const logger = {
    error: told('error'),
    warn: told('warn'),
    info: told('info'),
    debug: told('debug'),
    verbose: () => {},
  };
  diag.setLogger(logger, { logLevel: DIAG_LEVELS[level], suppressOverrideMessage: true });
}

const OURS = 'spanplan: ';

const DIAG_LEVELS: Readonly<Record<LogLevel, DiagLogLevel>> = {
  debug: DiagLogLevel.DEBUG,
  info: DiagLogLevel.INFO,
  warn: DiagLogLevel.WARN,
  error: DiagLogLevel.ERROR,
};

/** `12:34:56 warn   message  name=value` */
function pretty(line: string, { style }: Output): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const paint = { debug: style.dim, warn: style.yellow, error: style.red }[String(level)] ?? style.green;
  const rest = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `  ${style.dim(`${name}=`)}${printable(text)}`;
  });
  const clock = style.dim(String(time).slice(11, 19));
  return `${clock} ${paint(String(level).padEnd(5))}  ${printable(String(msg))}${rest.join('')}\n`;
}
