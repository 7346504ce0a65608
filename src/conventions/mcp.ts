import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { firstText } from './attributes.ts';
import type { Convention } from './convention.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

const CALL = 'tools/call';
const LOGFIRE_CLIENT = 'MCP request: ';

/**
 * Model Context Protocol requests that carry no GenAI operation. A client's and a server's span of one request look
 * alike. `jsonrpc.request.id` counts requests of one connection, so it is no call id.
 */
export const mcp: Convention = {
  name: 'mcp',
  source: 'semantic-conventions 1.41.1 (mcp), OpenLIT ad20b7b4, logfire e484a6b5',
  attributes: [
    'mcp.method.name',
    'mcp.method',
    'rpc.method',
    'rpc.system',
    'gen_ai.tool.name',
    'mcp.tool.name',
    'gen_ai.tool.call.id',
  ],
  recognise(span) {
    const method = span.attributes['mcp.method.name'] ?? span.attributes['mcp.method'];
    if (typeof method === 'string') return method === CALL ? callOf(span, 'mcp.tools_call') : OTHER;
    if (span.attributes['rpc.method'] !== CALL) return undefined;
    const isMcp = span.attributes['rpc.system'] === 'jsonrpc' || span.name.startsWith('MCP ');
    return isMcp ? callOf(span, 'mcp.rpc_tools_call') : undefined;
  },
};

/** Listing tools, initialising, reading resources. */
const OTHER: Verdict = { role: 'none', rule: 'mcp.other' };
/** logfire's server side does not name the tool; what it calls does. */
const UNNAMED: Verdict = { role: 'step', rule: 'mcp.unnamed' };

function callOf({ name, attributes }: Span, rule: string): Verdict {
  const request = name.startsWith(LOGFIRE_CLIENT) ? name.slice(LOGFIRE_CLIENT.length) : name;
  const tool = firstText(attributes, 'gen_ai.tool.name', 'mcp.tool.name') ?? spanNameTool(request);
  if (tool === undefined) return UNNAMED;
  return verdict('tool', rule, {
    name: tool,
    callId: firstText(attributes, 'gen_ai.tool.call.id'),
    isMcp: true,
  });
}
