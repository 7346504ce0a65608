import { Sidecar } from '../sidecar/sidecar.ts';
import { StartError } from '../sidecar/start-error.ts';
import { CliError } from './cli-error.ts';
import { createLog, logDiagnostics } from './log.ts';
import type { Outputs } from './output.ts';
import { printable } from './printable.ts';
import { configOf, type ServeOptions, unreadable } from './serve-options.ts';

/**
 * `spanplan serve`: runs the sidecar until a signal ends it.
 * @param version of this package.
 * @returns the exit status: 1 where something could not be delivered in time.
 * @throws CliError where it cannot start.
 */
export async function serve(options: ServeOptions, { err }: Outputs, version: string): Promise<number> {
  const config = configOf(options, unreadable);
  const { level, encoding = err.isTerminal ? 'console' : 'json' } = config.service.telemetry.logs;
  const log = createLog(level, encoding, err);
  logDiagnostics(log, level);
  process.on('uncaughtException', (error) => {
    // Its text may hold what spans hold; where it came from does not.
    const at = String(error?.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line));
    log.error({ error: error?.name, at: at.slice(0, 10) }, 'this is a fault of spanplan; it ends');
    process.exit(1);
  });

  const sidecar = new Sidecar(config, version, log);
  const signalled = firstSignal();
  try {
    await sidecar.start();
  } catch (error) {
    // The sentence is written when this comes. Connections that are closing may take seconds, for nobody's good.
    setTimeout(() => process.exit(1), 0).unref();
    if (error instanceof StartError) throw new CliError(printable(error.message), 1, { cause: error });
    throw error;
  }
  log.info(
    { signal: await signalled },
    'stopping: finishing what is in flight; a second signal ends at once',
  );
  const { isComplete, ...left } = await sidecar.stop();
  if (isComplete) log.info(left, 'stopped');
  else log.error(left, 'stopped; this could not be delivered in time');
  const status = isComplete ? 0 : 1;
  // Should anything still keep the process alive, nobody is to wait for it.
  setTimeout(() => process.exit(status), LINGER_MILLIS).unref();
  return status;
}

const LINGER_MILLIS = 500;

/** The first signal that asks to end; the next one is not discussed. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (!isFirst) process.exit(1);
        isFirst = false;
        resolve(signal);
      });
    }
  });
}
