import { diag } from '@opentelemetry/api';

/**
 * Tells whoever runs the application, through the API's `diag`. The logger behind it is the application's, and one
 * that throws must neither stop our work nor, from a timer of ours, end the process.
 */
export const tell = {
  error: (message: string, ...details: readonly unknown[]) => safely(() => diag.error(message, ...details)),
  warn: (message: string, ...details: readonly unknown[]) => safely(() => diag.warn(message, ...details)),
  info: (message: string, ...details: readonly unknown[]) => safely(() => diag.info(message, ...details)),
  debug: (message: string, ...details: readonly unknown[]) => safely(() => diag.debug(message, ...details)),
};

function safely(call: () => void): void {
  try {
    call();
  } catch {
    // There is nobody left to tell.
  }
}
