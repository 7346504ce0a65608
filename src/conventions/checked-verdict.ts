import type { Span } from '../model/span.ts';
import type { SpanRole, Verdict } from '../model/verdict.ts';
import { boundedName } from '../support/bounded-name.ts';
import { flat } from '../support/flat.ts';
import { meaningful } from '../support/meaningful.ts';
import type { Convention } from './convention.ts';
import { VERDICT_TEXTS, withTexts } from './verdict.ts';

const ROLES: ReadonlySet<unknown> = new Set<SpanRole>(['agent', 'workflow', 'tool', 'llm', 'step', 'none']);
const COUNTS = ['promptTokens', 'outputTokens', 'totalTokens', 'toolCallCount'] as const;

/**
 * What a user's convention says of a span, in a copy: whoever made it may use it again for another.
 * @throws TypeError where it is no verdict: it goes into records that others read.
 */
export function checkedVerdict(convention: Convention, span: Span): Verdict | undefined {
  const given = convention.recognise(span);
  if (given === undefined) return undefined;
  const verdict = ownVerdict(given, convention.name);
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  const isCount = (value: unknown) => value === undefined || Number.isSafeInteger(value);
  if (!ROLES.has(verdict.role) || !VERDICT_TEXTS.every((key) => isText(verdict[key]))) {
    throw new TypeError('not a verdict');
  }
  if (!COUNTS.every((key) => isCount(verdict[key]))) throw new TypeError('a count that is no number');
  if (
    verdict.role === 'tool' &&
    (verdict.name === undefined || meaningful(verdict.name) === undefined) &&
    !verdict.isExecution
  ) {
    throw new TypeError('a tool without a name');
  }
  return withTexts(verdict, ownText);
}

const FIELDS = Object.keys({
  role: true,
  rule: true,
  weak: true,
  unverified: true,
  name: true,
  frameworkName: true,
  agentId: true,
  stampedAgent: true,
  callId: true,
  isMcp: true,
  isExecution: true,
  mayBePrompt: true,
  isFlat: true,
  promptTokens: true,
  outputTokens: true,
  totalTokens: true,
  modelName: true,
  toolCallCount: true,
} satisfies Record<keyof Verdict, true>) as readonly (keyof Verdict)[];

/** With nothing but what a verdict has. */
function ownVerdict(given: Verdict, conventionName: string): Verdict {
  const own: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = given[field];
    if (value !== undefined) own[field] = value;
  }
  if (typeof own.rule !== 'string') own.rule = conventionName;
  return own as unknown as Verdict;
}

/** A text of a user's rule as it is kept: bounded, and not a part of another, all of which it would keep alive. */
export function ownText(text: string): string {
  return flat(boundedName(text));
}
