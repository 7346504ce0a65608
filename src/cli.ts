#!/usr/bin/env node
/**
 * The command `spanplan`. The composition root: only here are arguments, environment and standard streams taken.
 *
 *     arguments → command (src/cli) → text or JSON on standard output → exit status
 */
import { Output } from './cli/output.ts';
import { runCli } from './cli/run-cli.ts';

// Whoever reads our output may stop reading, as `head` does; that is no failure, and there is no more to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// What is told beside the output may get lost, with its reader or on a full disk. The work goes on.
process.stderr.on('error', () => {});

const outputs = {
  out: new Output(process.stdout, process.env),
  err: new Output(process.stderr, process.env),
};
void runCli(process.argv.slice(2), outputs, process.stdin).then((status) => {
  process.exitCode = status;
});
