#!/usr/bin/env node
/**
 * The command `spanplan`. The composition root: only here are arguments, environment and standard streams read.
 *
 *     arguments → command (src/cli) → text or JSON on standard output → exit status
 *
 * Exit status 0: done. 1: something failed, or a part of the input could not be learned. 2: no such command or option.
 */
import { CommanderError } from 'commander';
import { CliError } from './cli/cli-error.ts';
import { Output, type Outputs } from './cli/output.ts';
import { printable } from './cli/printable.ts';
import { createProgram } from './cli/program.ts';

const outputs: Outputs = {
  out: new Output(process.stdout, process.env),
  err: new Output(process.stderr, process.env),
};

// Whoever reads our output may stop reading, as `head` does; that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
}

void main(process.argv);

async function main(argv: readonly string[]): Promise<void> {
  const program = createProgram(outputs, process.stdin, (status) => {
    process.exitCode = status;
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** @returns the exit status. */
function report(error: unknown): number {
  // Commander has said by itself what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { err } = outputs;
  const prefix = err.style.red('error:');
  if (error instanceof CliError) {
    err.line(`${prefix} ${error.message}`);
    return error.exitStatus;
  }
  err.line(`${prefix} ${unexpected(error)}`);
  return 1;
}

/** The text of an error that nobody foresaw may hold what spans hold, so only the system's own are shown. */
function unexpected(error: unknown): string {
  if (error instanceof Error && 'syscall' in error) return printable(error.message);
  const name = error instanceof Error ? error.name : typeof error;
  return `Something went wrong inside of spanplan (${printable(name)}). Please report it with the command you ran.`;
}
