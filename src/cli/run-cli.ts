import { CommanderError } from 'commander';
import { kindOf } from '../support/told-error.ts';
import { CliError } from './cli-error.ts';
import type { Outputs } from './output.ts';
import { printable } from './printable.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line. Never rejects: what goes wrong is told on standard error.
 * @returns the exit status. 0: done. 1: something failed, or a part of the input could not be learned. 2: no such
 * command or option.
 */
export async function runCli(
  args: readonly string[],
  outputs: Outputs,
  stdin: AsyncIterable<Uint8Array>,
): Promise<number> {
  let exitStatus = 0;
  const program = createProgram(outputs, stdin, (status) => {
    exitStatus = status;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitStatus;
  } catch (error) {
    return report(error, outputs);
  }
}

function report(error: unknown, { err }: Outputs): number {
  // Commander has said by itself what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isOurs = error instanceof CliError;
  err.line(`${err.style.red('error:')} ${isOurs ? error.message : unexpected(error)}`);
  return isOurs ? error.exitStatus : 1;
}

/** The text of an error that nobody foresaw may hold what spans hold, so only the system's own are shown. */
function unexpected(error: unknown): string {
  if (error instanceof Error && 'syscall' in error) return printable(error.message);
  const name = kindOf(error);
  return `Something went wrong inside of spanplan (${printable(name)}). Please report it with the command you ran.`;
}
