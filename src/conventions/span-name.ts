import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { genAiOperationRole } from './gen-ai-operation.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

/** Span names in the forms that tools have elsewhere. Weak: anybody may name a span so. */
export const spanName: Convention = {
  name: 'span_name',
  source: 'the span names of the conventions above; logfire e484a6b5 for its template',
  attributes: ['name', 'gen_ai.operation.name'],
  recognise({ name, attributes }) {
    const tool = name === 'Function: {name}' ? text(attributes, 'name') : spanNameTool(name);
    if (tool === undefined || genAiOperationRole(attributes['gen_ai.operation.name']) !== undefined)
      return undefined;
    return verdict('tool', 'span_name.tool', { name: tool, weak: true });
  },
};
