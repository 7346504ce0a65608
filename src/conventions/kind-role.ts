import type { SpanRole } from '../model/verdict.ts';

/**
 * What the kind attributes of observability products mean. They differ in the attribute's name and in upper and lower
 * case, and share one vocabulary.
 * @returns undefined for a kind that no product is known to write, and for values that are no text.
 */
export function kindRole(kind: unknown): SpanRole | undefined {
  if (typeof kind !== 'string' || kind.length > LONGEST_KIND) return undefined;
  return ROLES.get(kind) ?? ROLES.get(kind.toLowerCase());
}

const LONGEST_KIND = 32;

const ROLES: ReadonlyMap<string, SpanRole> = new Map([
  ['tool', 'tool'],
  ['agent', 'agent'],
  ['workflow', 'workflow'],
  ['llm', 'llm'],
  ['generation', 'llm'],
  ['chat_model', 'llm'],
  ['chain', 'step'],
  ['task', 'step'],
  ['step', 'step'],
  ['span', 'step'],
  ['function', 'step'],
  ['operation', 'step'],
  ['default', 'step'],
  ['parser', 'step'],
  ['session', 'none'],
  ['event', 'none'],
  ['prompt', 'none'],
  ['memory', 'none'],
  ['embedding', 'none'],
  ['embedder', 'none'],
  ['retriever', 'none'],
  ['reranker', 'none'],
  ['guardrail', 'none'],
  ['evaluator', 'none'],
  ['custom', 'none'],
  ['unknown', 'none'],
]);
