import type { Verdict } from '../model/verdict.ts';

/** How hosts write an MCP server's name before a tool's: `mcp__server__tool`, as Claude Code and its SDKs do. */
const MCP_PREFIX = /^mcp__.+?__/;
/** What else stands between a server's or plugin's name and the tool's: `server.tool`, `server/tool`, `plugin-tool`. */
const SEPARATORS = ['__', '.', '/', ':', '-', '_'];

/** Whether two tool spans, one directly inside the other, name the same tool once MCP prefixes are stripped. */
export function isSameTool(outer: Verdict, inner: Verdict): boolean {
  if (outer.name === undefined || inner.name === undefined) return false;
  const a = outer.name.replace(MCP_PREFIX, '');
  const b = inner.name.replace(MCP_PREFIX, '');
  if (a === b) return true;
  if (!outer.isMcp && !inner.isMcp) return false;
  return SEPARATORS.some((separator) => a.endsWith(separator + b) || b.endsWith(separator + a));
}
