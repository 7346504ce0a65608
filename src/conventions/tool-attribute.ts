import type { Verdict } from '../model/verdict.ts';
import { firstText, holdsAny } from './attributes.ts';
import type { Convention } from './convention.ts';
import { genAiOperationRole } from './gen-ai-operation.ts';
import { ownName } from './own-name.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

const NAME_KEYS = ['gen_ai.tool.name', 'spring.ai.tool.definition.name'];
const CALL_ID_KEYS = ['gen_ai.tool.call.id', 'gen_ai.tool.call_id', 'spring.ai.tool.call.id'];
const TOOL_KEYS = [...NAME_KEYS, ...CALL_ID_KEYS];
const AGENT_KEYS = ['gen_ai.agent.name', 'agent_name'];

/**
 * A tool's name or call id without an operation, as pydantic-ai before 1.90 and older Spring AI write them. Other keys
 * of the family (`gen_ai.tool.definitions`) stand on model calls and say nothing.
 */
export const toolAttribute: Convention = {
  name: 'tool_attribute',
  source: 'pydantic-ai 1.0.0 and 1.67.0, spring-ai fd3fd6ec',
  attributes: ['gen_ai.operation.name', ...NAME_KEYS, ...CALL_ID_KEYS, ...AGENT_KEYS],
  recognise(span): Verdict | undefined {
    const { attributes } = span;
    if (!holdsAny(attributes, TOOL_KEYS)) return undefined;
    const stated = firstText(attributes, ...NAME_KEYS);
    const callId = firstText(attributes, ...CALL_ID_KEYS);
    if (stated === undefined && callId === undefined) return undefined;
    if (genAiOperationRole(attributes['gen_ai.operation.name']) !== undefined) return undefined;
    const name = stated ?? spanNameTool(span.name);
    if (name === undefined) return undefined;
    return verdict('tool', 'tool_attribute.name', {
      name,
      callId,
      stampedAgent: ownName(firstText(attributes, ...AGENT_KEYS)),
    });
  },
};
