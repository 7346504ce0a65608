#!/usr/bin/env node
/**
 * The command `spanplan`. The composition root: only here are arguments, environment and standard streams taken.
 *
 *     arguments → command (src/cli) → text or JSON on standard output → exit status
 */
import { Output } from './cli/output.ts';
import { runCli } from './cli/run-cli.ts';

// Whoever reads our output may stop reading, as `head` does; that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

const outputs = {
  out: new Output(process.stdout, process.env),
  err: new Output(process.stderr, process.env),
};
void runCli(process.argv.slice(2), outputs, process.stdin).then((status) => {
  process.exitCode = status;
});
