import type { Verdict } from '../model/verdict.ts';
import type { Convention } from './convention.ts';

/**
 * Mastra. Its agents, tools and model calls carry GenAI or OpenInference marks and are left to those conventions; this
 * one keeps out what those marks make look like calls.
 */
export const mastra: Convention = {
  name: 'mastra',
  source: 'npm @mastra/otel-exporter 1.4.0',
  attributes: ['mastra.span.type'],
  recognise({ attributes }) {
    const type = attributes['mastra.span.type'];
    return typeof type === 'string' ? NO_CALLS.get(type) : undefined;
  },
};

const NO_CALLS: ReadonlyMap<string, Verdict> = new Map([
  // ran at the model provider: the span is made after the fact and shows no time
  ['provider_tool_call', { role: 'none', rule: 'mastra.provider_tool_call' }],
  // a piece of a model's answer, 0 ms long, named after the agent and marked LLM
  ['model_chunk', { role: 'none', rule: 'mastra.model_chunk' }],
  ['model_step', { role: 'step', rule: 'mastra.model_step' }],
]);
