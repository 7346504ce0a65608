import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' };

describe('spans that look like calls and are none', () => {
  itRecognises([
    [
      'logfire: the pending half of a tool span',
      spanOf('execute_tool search', { ...tool, 'logfire.span_type': 'pending_span' }),
      { role: 'none', rule: 'drop.logfire_marker' },
    ],
    [
      'logfire: a log line',
      spanOf('x', { ...tool, 'logfire.span_type': 'log' }),
      { role: 'none', rule: 'drop.logfire_marker' },
    ],
    [
      'logfire: a span',
      spanOf('execute_tool search', { ...tool, 'logfire.span_type': 'span' }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'NeMo Relay: a mark without a span',
      spanOf('mark:x', { 'nemo_relay.mark.orphan': true, 'nemo_relay.scope_type': 'tool' }),
      { role: 'none', rule: 'drop.nemo_mark' },
    ],
    [
      'NeMo Flow: the same, as text',
      spanOf('mark:x', { 'nemo_flow.mark.orphan': 'true' }),
      { role: 'none', rule: 'drop.nemo_mark' },
    ],
    [
      'NeMo Relay: a mark shown as a tool, among its own attributes',
      spanOf('mark:x', { 'nemo_relay.mark.projection': 'tool', 'nemo_relay.scope_type': 'tool' }),
      { role: 'none', rule: 'drop.nemo_mark' },
    ],
    [
      'NeMo Relay: a mark shown as a tool, among those of OpenInference',
      spanOf('mark:x', {
        'nemo_relay.mark.projection': 'tool',
        'openinference.span.kind': 'TOOL',
        'tool.name': 'x',
      }),
      { role: 'none', rule: 'drop.nemo_mark' },
    ],
    [
      'ADK: the merging of parallel answers',
      spanOf('execute_tool (merged)', { ...tool, 'gen_ai.tool.name': '(merged tools)' }),
      { role: 'none', rule: 'drop.merged_tools' },
    ],
    [
      'ADK: the same while it is open and has its name only',
      spanOf('execute_tool (merged)'),
      { role: 'none', rule: 'drop.merged_tools' },
    ],
    [
      'pydantic-ai 1.67: the batch around tools',
      spanOf('running tools', { tools: ['search', 'fetch'] }),
      { role: 'step', rule: 'drop.running_tools' },
    ],
    [
      '.NET: the loop around tools',
      spanOf('orchestrate_tools'),
      { role: 'step', rule: 'drop.orchestrate_tools' },
    ],
    [
      '.NET: a tool that is called so',
      spanOf('orchestrate_tools', { ...tool, 'gen_ai.tool.name': 'orchestrate_tools' }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'orchestrate_tools' },
    ],
    [
      'Gemini CLI: the batch around tools',
      spanOf('schedule_tool_calls', {
        'gen_ai.operation.name': 'schedule_tool_calls',
        'gen_ai.tool.name': 'search',
      }),
      { role: 'step', rule: 'drop.schedule_tool_calls' },
    ],
    [
      'pydantic-ai: arguments that were refused',
      spanOf('execute_tool search', { ...tool, 'pydantic_ai.tool.failure_stage': 'validation' }),
      { role: 'none', rule: 'drop.failed_validation' },
    ],
    [
      'pydantic-ai: a tool that ran and failed',
      spanOf('execute_tool search', { ...tool, 'pydantic_ai.tool.failure_stage': 'execution' }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'a batch is a batch even where another convention sees a tool',
      spanOf('running tools', { tools: [], 'openinference.span.kind': 'TOOL' }),
      { role: 'step', rule: 'drop.running_tools' },
    ],
  ]);
});
