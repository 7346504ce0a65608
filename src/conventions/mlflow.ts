import type { SpanRole, Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import type { Convention } from './convention.ts';
import { kindRole } from './kind-role.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/** MLflow, told by `mlflow.spanType`, which holds its value as JSON: quotes and all. */
export const mlflow: Convention = {
  name: 'mlflow',
  source: 'MLflow translators (secondary)',
  attributes: ['mlflow.spanType'],
  recognise(span) {
    const type = span.attributes['mlflow.spanType'];
    if (typeof type !== 'string') return undefined;
    const role = kindRole(type.startsWith('"') && type.endsWith('"') ? type.slice(1, -1) : type);
    return role === undefined ? undefined : verdictOf(role, meaningful(span.name));
  },
};

function verdictOf(role: SpanRole, name: string | undefined): Verdict {
  const rule = `mlflow.${role}`;
  if (role === 'agent' || role === 'workflow') {
    return verdict(role, rule, { frameworkName: ownName(name), unverified: true });
  }
  if (role === 'llm') return verdict(role, rule, { name, unverified: true });
  if (role === 'tool' && name !== undefined) return verdict(role, rule, { name, unverified: true });
  return verdict(role === 'none' ? 'none' : 'step', rule, { unverified: true });
}
