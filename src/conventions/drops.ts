import type { Verdict } from '../model/verdict.ts';
import { isTrue } from './attributes.ts';
import type { Convention } from './convention.ts';

/**
 * Spans that look like calls and are none: markers, duplicates, and batches around calls. What this convention says
 * is final; no other one is asked.
 */
export const drops: Convention = {
  name: 'drop',
  source:
    'logfire e484a6b5, NeMo Relay cc3e5f1c and npm 0.9.2, Google ADK 2.0.0, pydantic-ai 1.67, Microsoft.Extensions.AI, Gemini CLI 5411f113',
  attributes: [
    'logfire.span_type',
    'nemo_relay.mark.orphan',
    'nemo_flow.mark.orphan',
    'nemo_relay.mark.projection',
    'gen_ai.tool.name',
    'gen_ai.operation.name',
    'pydantic_ai.tool.failure_stage',
    'tools',
  ],
  recognise({ name, attributes }) {
    const logfireType = attributes['logfire.span_type'];
    if (logfireType === 'pending_span' || logfireType === 'log') return LOGFIRE;
    if (isTrue(attributes, 'nemo_relay.mark.orphan') || isTrue(attributes, 'nemo_flow.mark.orphan'))
      return MARK;
    // its exporters can be told to show marks as spans, and as tools at that
    if (typeof attributes['nemo_relay.mark.projection'] === 'string') return MARK;
    const tool = attributes['gen_ai.tool.name'];
    if (tool === '(merged tools)' || name === 'execute_tool (merged)') return MERGED;
    if (name === 'running tools')
      return tool === undefined && attributes.tools !== undefined ? BATCH : undefined;
    if (name === 'orchestrate_tools') return tool === undefined ? ORCHESTRATION : undefined;
    if (attributes['gen_ai.operation.name'] === 'schedule_tool_calls') return SCHEDULE;
    if (attributes['pydantic_ai.tool.failure_stage'] === 'validation') return VALIDATION;
    return undefined;
  },
};

const LOGFIRE: Verdict = { role: 'none', rule: 'drop.logfire_marker' };
const MARK: Verdict = { role: 'none', rule: 'drop.nemo_mark' };
const MERGED: Verdict = { role: 'none', rule: 'drop.merged_tools' };
/** The tool never ran: its arguments were refused. */
const VALIDATION: Verdict = { role: 'none', rule: 'drop.failed_validation' };
const BATCH: Verdict = { role: 'step', rule: 'drop.running_tools' };
const ORCHESTRATION: Verdict = { role: 'step', rule: 'drop.orchestrate_tools' };
const SCHEDULE: Verdict = { role: 'step', rule: 'drop.schedule_tool_calls' };
