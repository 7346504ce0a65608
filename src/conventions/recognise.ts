import { plainSpan } from '../model/numeric-span.ts';
import { hasOwnOnly } from '../model/own-attributes.ts';
import { UNRECOGNISED } from '../model/shared-verdict.ts';
import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { boundedName, isBounded } from '../support/bounded-name.ts';
import { meaningful } from '../support/meaningful.ts';
import { type AttributeNames, attributeNames } from './attribute-names.ts';
import type { AttributeShape } from './attribute-shapes.ts';
import { firstText } from './attributes.ts';
import { BUILT_IN_CONVENTIONS } from './built-in-conventions.ts';
import { Candidates } from './candidates.ts';
import { checkedVerdict, ownText } from './checked-verdict.ts';
import type { Convention } from './convention.ts';
import { drops } from './drops.ts';
import { Recognition, withTexts } from './verdict.ts';
import type { VerdictMemo } from './verdict-memo.ts';

export interface RecogniserOptions {
  /** Conventions of the user's own. They are asked first, and what one of them says is final. */
  readonly conventions?: readonly Convention[] | undefined;
  /** Names a tool call in place of the name recognised; undefined keeps that. */
  readonly toolName?: ((span: Span) => string | undefined) | undefined;
  /** Names the agent whose span, or whose call, this is; goes before every other identity. */
  readonly agentId?: ((span: Span) => string | undefined) | undefined;
  /** Attributes that `toolName` and `agentId` read, so that they are decoded; each may hold one `*`. */
  readonly attributes?: readonly string[] | undefined;
  /** Told of each of the user's rules that threw or answered nonsense; it then counts as having said nothing. */
  readonly onError?: ((rule: string) => void) | undefined;
}

type ToolName = NonNullable<RecogniserOptions['toolName']>;

/** Tells what spans are. Never throws, whatever a span holds. */
export interface Recogniser {
  /** What the span is by the attributes it has so far. */
  recognise(span: Span): Verdict;
  /** The same, with the call's id apart. */
  recogniseInto(span: Span, into: Recognition): void;
  /** The agent's name by the user's `agentId`; undefined where there is none. */
  agentOf(span: Span): string | undefined;
  /** The attributes that a source must decode. */
  readonly attributes: AttributeNames;
}

/**
 * Makes a recogniser:
 *
 *     user's conventions → drops → built-in conventions in order → first verdict → user's toolName → bounded names
 *
 * with two exceptions to the first verdict: a tool beats a step, and a tool that is named as one beats an agent.
 */
export function createRecogniser(options: RecogniserOptions = {}): Recogniser {
  const { conventions: own = [], toolName } = options;
  const ask = safely(options.onError);
  const candidates = new Candidates((convention, span) => recogniseBy(convention, span, options.onError));

  function judge(span: Span, into: Recognition): void {
    const verdict = own.length === 0 ? undefined : judgeByOwn(plainSpan(span));
    if (verdict !== undefined) {
      into.put(verdict);
      return;
    }
    const shape = candidates.shapeOf(span);
    const memo = shape?.memo !== undefined && isPlain(span) ? shape.memo : undefined;
    if (!isRemembered(span, memo, into)) into.put(judgeByBuiltIns(span, shape, memo));
  }

  function judgeByOwn(span: Span): Verdict | undefined {
    for (const convention of own) {
      const verdict = ask(convention.name, () => checkedVerdict(convention, span));
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  function judgeByBuiltIns(
    span: Span,
    shape: AttributeShape | undefined,
    memo: VerdictMemo | undefined,
  ): Verdict {
    const asked = candidates.of(span, shape);
    if (asked.length === 0) return UNRECOGNISED;
    const judgeShown = (shown: Span, isAgain?: boolean) =>
      bounded(firstVerdict(asked, shown, isAgain ? undefined : options.onError));
    return memo?.learn(span, judgeShown) ?? judgeShown(span);
  }

  function recogniseInto(span: Span, into: Recognition): void {
    judge(span, into);
    if (toolName !== undefined && into.verdict.role === 'tool') rename(span, into, toolName);
  }

  function rename(span: Span, into: Recognition, toolName: ToolName): void {
    const { verdict, callId } = into;
    const name = ask('toolName', () => textOf(toolName(plainSpan(span))));
    // Also where there is none: the user's function may have made spans that were recognised meanwhile.
    into.put(name === undefined ? verdict : { ...verdict, name: ownText(name) }, callId);
  }

  return {
    attributes: attributeNames([...own, ...BUILT_IN_CONVENTIONS], options.attributes),
    recogniseInto,
    recognise(span) {
      const recognition = new Recognition();
      recogniseInto(span, recognition);
      return recognition.whole;
    },
    agentOf(span) {
      const { agentId } = options;
      if (agentId === undefined) return undefined;
      const name = ask('agentId', () => textOf(agentId(plainSpan(span))));
      return name === undefined ? undefined : ownText(name);
    },
  };
}

/** Of conventions in order of precedence. */
function firstVerdict(
  asked: readonly Convention[],
  span: Span,
  onError: RecogniserOptions['onError'],
): Verdict {
  let held: Verdict | undefined;
  for (const convention of asked) {
    const verdict = recogniseBy(convention, span, onError);
    if (verdict === undefined) continue;
    if (held === undefined) {
      const mayYield = verdict.role === 'step' || verdict.role === 'agent';
      if (!mayYield || convention === drops) return verdict;
      held = verdict;
    } else if (verdict.role === 'tool' && !verdict.weak && yields(held, span, onError)) return verdict;
  }
  return held ?? UNRECOGNISED;
}

function isPlain({ attributes }: Span): boolean {
  try {
    return hasOwnOnly(attributes);
  } catch {
    return false;
  }
}

/** Attributes of an SDK's user may throw where they are read again: then they are asked about anew. */
function isRemembered(span: Span, memo: VerdictMemo | undefined, into: Recognition): boolean {
  try {
    return memo?.find(span, into) === true;
  } catch {
    return false;
  }
}

/** A tool beats the wrapper that another convention sees; an agent only gives way to what names itself a tool. */
function yields(held: Verdict, { attributes }: Span, onError: RecogniserOptions['onError']): boolean {
  if (held.role === 'step') return true;
  try {
    return firstText(attributes, ...EXPLICIT_TOOL_NAMES) !== undefined;
  } catch {
    report(onError, held.rule);
    return false;
  }
}

const EXPLICIT_TOOL_NAMES = ['gen_ai.tool.name', 'tool.name'];

/** Built-in conventions do not throw either, but attributes may: an SDK's user can pass objects with getters. */
function recogniseBy(
  convention: Convention,
  span: Span,
  onError: RecogniserOptions['onError'],
): Verdict | undefined {
  try {
    return convention.recognise(span);
  } catch {
    report(onError, convention.name);
    return undefined;
  }
}

function safely(onError: RecogniserOptions['onError']) {
  return <Answer>(rule: string, question: () => Answer | undefined): Answer | undefined => {
    try {
      return question();
    } catch {
      report(onError, rule);
      return undefined;
    }
  };
}

function report(onError: RecogniserOptions['onError'], rule: string): void {
  try {
    onError?.(rule);
  } catch {
    // whoever wants to hear of errors must not cause any
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? meaningful(value) : undefined;
}

function bounded(verdict: Verdict): Verdict {
  const { name, frameworkName, agentId, stampedAgent, callId, modelName } = verdict;
  const isShort =
    isBounded(name) &&
    isBounded(frameworkName) &&
    isBounded(agentId) &&
    isBounded(stampedAgent) &&
    isBounded(callId) &&
    isBounded(modelName);
  return isShort ? verdict : withTexts(verdict, boundedName);
}
