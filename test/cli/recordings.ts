import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CAPTURES = new URL('../fixtures/captures/', import.meta.url);

export const RECORDINGS: readonly string[] = readdirSync(CAPTURES).sort();

export function recordingFile(recording: string): string {
  return fileURLToPath(new URL(`${recording}/otlp.json`, CAPTURES));
}

/** The OTLP requests of a recording, in the order they were sent. */
export function requestsOf(recording: string): readonly Record<string, unknown>[] {
  return JSON.parse(readFileSync(recordingFile(recording), 'utf8'));
}

/** The sets of tools that did run at the same time, callers of sub-agents included. */
export function trueGroupsOf(recording: string): readonly (readonly string[])[] {
  const { maximal_groups, caller_groups } = JSON.parse(
    readFileSync(new URL(`${recording}/expected.json`, CAPTURES), 'utf8'),
  );
  return [...maximal_groups, ...caller_groups];
}
