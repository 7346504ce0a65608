import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { AGENT_TASK_ATTRIBUTES, agentTask } from './agent-task.ts';
import { firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { isFlatEmitter, OPENLLMETRY_JS_LANGCHAIN } from './flat-emitter.ts';
import { LANGCHAIN_TOOL_ATTRIBUTES, langchainTool } from './langchain-tool.ts';
import { ownName } from './own-name.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

/**
 * OpenLLMetry (Traceloop), told by `traceloop.span.kind`: its decorators and those instrumentations that write no
 * GenAI operation. `gen_ai.agent.name` is stamped on all spans inside an agent.
 */
export const traceloop: Convention = {
  name: 'traceloop',
  source: 'traceloop/openllmetry-js 1faf69de (npm 0.27.0), traceloop/openllmetry 93429cfb',
  attributes: [
    'traceloop.span.kind',
    'gen_ai.tool.name',
    'tool.name',
    'traceloop.entity.name',
    'gen_ai.tool.call.id',
    'gen_ai.agent.name',
    ...LANGCHAIN_TOOL_ATTRIBUTES,
    ...AGENT_TASK_ATTRIBUTES,
  ],
  recognise(span) {
    const kind = span.attributes['traceloop.span.kind'];
    if (typeof kind !== 'string') return undefined;
    const { attributes } = span;
    const isFlat = isFlatEmitter(span);
    switch (kind) {
      case 'tool':
        return toolOf(span, 'traceloop.tool');
      case 'task':
        // a LlamaIndex step that calls a tool says which
        return firstText(attributes, 'tool.name', 'gen_ai.tool.name') === undefined
          ? taskOf(span)
          : toolOf(span, 'traceloop.task.tool');
      case 'agent':
        return verdict('agent', 'traceloop.agent', {
          name: ownName(text(attributes, 'gen_ai.agent.name')),
          frameworkName: ownName(text(attributes, 'traceloop.entity.name')),
          isFlat,
        });
      case 'workflow':
        if (span.scopeName === OPENLLMETRY_JS_LANGCHAIN)
          return verdict('step', 'traceloop.chain', { isFlat });
        return verdict('workflow', 'traceloop.workflow', {
          frameworkName: ownName(text(attributes, 'traceloop.entity.name')),
          isFlat,
        });
      case 'session':
      case 'server':
      case 'handoff':
        return verdict('none', `traceloop.${kind}`);
      default:
        return undefined;
    }
  },
};

function taskOf(span: Span): Verdict {
  const agent = agentTask(span);
  if (agent !== undefined) return verdict('agent', 'traceloop.task.agent', { frameworkName: agent });
  return verdict('step', 'traceloop.task', { isFlat: isFlatEmitter(span) });
}

function toolOf(span: Span, rule: string): Verdict {
  const { attributes, scopeName } = span;
  const isFlat = isFlatEmitter(span);
  const langchain = scopeName === OPENLLMETRY_JS_LANGCHAIN ? langchainTool(span) : undefined;
  const name =
    langchain === undefined
      ? (firstText(attributes, 'gen_ai.tool.name', 'tool.name', 'traceloop.entity.name') ??
        spanNameTool(span.name))
      : langchain.name;
  if (name === undefined) return verdict('step', `${rule}.unnamed`, { isFlat });
  return verdict('tool', rule, {
    name,
    callId: langchain?.callId ?? text(attributes, 'gen_ai.tool.call.id'),
    stampedAgent: ownName(text(attributes, 'gen_ai.agent.name')),
    // both the client's and the server's side of a request are tools of this instrumentation
    isMcp: MCP_SCOPES.has(scopeName) || undefined,
    isFlat,
  });
}

const MCP_SCOPES = new Set([
  '@traceloop/instrumentation-mcp',
  'opentelemetry.instrumentation.mcp',
  'opentelemetry.instrumentation.fastmcp',
]);
