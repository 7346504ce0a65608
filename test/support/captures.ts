import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CAPTURES = new URL('../fixtures/captures/', import.meta.url);

/** Of all recordings of real frameworks. */
export const CAPTURE_NAMES: readonly string[] = readdirSync(CAPTURES).sort();

/** Where the requests of a recording are. */
export function captureFile(capture: string): string {
  return fileURLToPath(new URL(`${capture}/otlp.json`, CAPTURES));
}

/** The requests of a recording, in the order of arrival. */
export function requestsOf(capture: string): readonly RecordedRequest[] {
  return JSON.parse(readFileSync(captureFile(capture), 'utf8'));
}

export function expectedOf(capture: string): Expected {
  return JSON.parse(readFileSync(new URL(`${capture}/expected.json`, CAPTURES), 'utf8'));
}

/** The sets of tools that did run at the same time, callers of sub-agents included. */
export function trueGroupsOf(capture: string): readonly (readonly string[])[] {
  const { maximal_groups, caller_groups } = expectedOf(capture);
  return [...maximal_groups, ...caller_groups];
}

/** What is true of a recording. */
export interface Expected {
  readonly agent: string;
  readonly agents?: Readonly<Record<string, readonly string[]>>;
  /** The sets of tools that did run at the same time. */
  readonly maximal_groups: readonly (readonly string[])[];
  /** The same of tools that are sub-agents. */
  readonly caller_groups: readonly (readonly string[])[];
  readonly tool_calls: number;
  readonly unattainable?: string;
}

export type RecordedRequest = {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly RecordedAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name?: string };
      readonly spans: readonly RecordedSpan[];
    }[];
  }[];
};

export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly RecordedAttribute[];
  readonly status?: { readonly code?: number };
  readonly flags?: number;
}

export interface RecordedAttribute {
  readonly key: string;
  readonly value: RecordedValue;
}

export interface RecordedValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly RecordedValue[] };
  readonly kvlistValue?: { readonly values?: readonly RecordedAttribute[] };
}
