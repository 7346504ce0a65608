import { meaningful } from '../support/meaningful.ts';

/** What stands before the tool's name in the span names of those who write it there. */
const PREFIXES = [
  'execute_tool ',
  'tools/call ',
  'tool.execute ',
  'anthropic.custom_tool_use ',
  'anthropic.mcp_tool_use ',
  'anthropic.tool_use ',
];
const SUFFIX = '.tool';

/** The tool's name inside a span name of a known form; undefined for other span names. */
export function spanNameTool(spanName: string): string | undefined {
  for (const prefix of PREFIXES) {
    if (spanName.startsWith(prefix)) return meaningful(spanName.slice(prefix.length));
  }
  return spanName.endsWith(SUFFIX) ? meaningful(spanName.slice(0, -SUFFIX.length)) : undefined;
}
