import type { ExecutionPlan, ParallelGroup, ParallelHint } from '../model/execution-plan.ts';
import { StoreError } from './plan-store.ts';

/**
 * Reads a stored plan. Only what merging relies on is checked; everything else is kept as it is.
 * @param where the key or place it was read from, for the error.
 * @throws StoreError `corrupt_plan` where `json` is not JSON or not a plan. The message never holds the value.
 */
export function parsePlan(json: string, where: string): ExecutionPlan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw corrupt(where, 'it is not valid JSON');
  }
  const fault = faultOf(value);
  if (fault !== undefined) throw corrupt(where, fault);
  return value as ExecutionPlan;
}

function corrupt(where: string, fault: string): StoreError {
  return new StoreError(
    'corrupt_plan',
    `The plan at ${where} cannot be read: ${fault}. Nothing was written. Repair or delete it, for instance with \`spanplan forget\`.`,
  );
}

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object';
  if (typeof value.agent_id !== 'string') return 'agent_id is not a string';
  const groups = value.parallel_groups;
  if (!Array.isArray(groups) || !groups.every(isGroup)) return 'parallel_groups is not a list of groups';
  const template = value.metadata_template;
  if (!isObject(template)) return 'metadata_template is not an object';
  if (typeof template.run_id !== 'string') return 'metadata_template.run_id is not a string';
  const hints = template.parallel_hints;
  if (!Array.isArray(hints) || !hints.every(isHint))
    return 'metadata_template.parallel_hints is not a list of hints';
  return undefined;
}

function isGroup(value: unknown): value is ParallelGroup {
  if (!isObject(value) || typeof value.group_id !== 'string') return false;
  const names = value.tool_names;
  return Array.isArray(names) && names.every((name) => typeof name === 'string');
}

function isHint(value: unknown): value is ParallelHint {
  return isObject(value) && typeof value.tool_name === 'string' && typeof value.group_id === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
