import type { RunRecord } from '../../model/run-record.ts';
import { parseRunRecord } from '../../model/run-record-json.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import {
  DEFAULT_FILE_LIMITS,
  type FileLimits,
  type FileProblem,
  fileNameOf,
  type InputFile,
  openFile,
  problemOf,
} from './input-file.ts';
import { readJsonFile } from './json-file.ts';

export type RunFileItem = { readonly run: RunRecord } | { readonly problem: FileProblem };

/**
 * Reads the RunRecords of a JSON file: a list of them, one after another, or one a line; gzip is unpacked. Never
 * throws: what is no RunRecord is a problem, and the others are read.
 */
export async function* readRunFile(
  input: InputFile,
  limits: FileLimits = DEFAULT_FILE_LIMITS,
): AsyncGenerator<RunFileItem, void, undefined> {
  const file = fileNameOf(input);
  try {
    const bytes = await openFile(input, limits);
    const format = { mark: 'calls', longNumbers: 'rounded', decode: decodeRun } as const;
    for await (const item of readJsonFile(file, bytes, format, limits)) {
      yield 'value' in item ? { run: item.value } : item;
    }
  } catch (error) {
    yield { problem: problemOf(file, error) };
  }
}

/** The TypeErrors of `parseRunRecord` name a field and hold no value. */
function decodeRun(json: unknown): RunRecord {
  try {
    return parseRunRecord(json);
  } catch (error) {
    if (error instanceof TypeError)
      throw new MalformedBodyError(`expected a RunRecord, but ${error.message}`);
    throw error;
  }
}
