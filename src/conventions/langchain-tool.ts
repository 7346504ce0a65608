import type { Span } from '../model/span.ts';
import { flat } from '../support/flat.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText } from './attributes.ts';
import { scanJson } from './scan-json.ts';

/** The attributes `langchainTool` reads. */
export const LANGCHAIN_TOOL_ATTRIBUTES = [
  'gen_ai.tool.name',
  'gen_ai.tool.call.id',
  'traceloop.entity.name',
  'traceloop.entity.output',
] as const;

/** What is known of a tool call. */
interface LangchainTool {
  readonly name: string | undefined;
  readonly callId: string | undefined;
}

/**
 * Finds the real name of a tool under OpenLLMetry's LangChain instrumentation for JavaScript. It names tools by their
 * class, mostly `DynamicStructuredTool`; the tool's own name and the call's id stand in the message that the tool
 * answered with, of which nothing else is read.
 */
export function langchainTool({ attributes }: Span): LangchainTool {
  const answer = toolMessage(firstText(attributes, 'traceloop.entity.output'));
  const stated = firstText(attributes, 'gen_ai.tool.name', 'traceloop.entity.name');
  return {
    name: answer?.name ?? (stated === undefined || GENERIC_CLASSES.has(stated) ? undefined : stated),
    callId: firstText(attributes, 'gen_ai.tool.call.id') ?? answer?.callId,
  };
}

/** Classes that wrap any function: their name is that of no tool. */
const GENERIC_CLASSES = new Set([
  'DynamicStructuredTool',
  'DynamicTool',
  'StructuredTool',
  'Tool',
  'ClientTool',
  'RunnableToolLike',
]);

interface Candidate {
  readonly depth: number;
  readonly objectKey: string | undefined;
  name?: string | undefined;
  callId?: string | undefined;
}

/** The outermost object that has the members of a ToolMessage: its `kwargs`, or the message itself. */
function toolMessage(output: string | undefined): Candidate | undefined {
  if (output === undefined || !output.includes('"name"')) return undefined;
  const candidates = new Map<number, Candidate>();
  scanJson(output, ({ key, value, depth, object, objectKey }) => {
    if (key !== 'name' && key !== 'tool_call_id') return;
    const candidate = candidates.get(object) ?? { depth, objectKey };
    candidates.set(object, candidate);
    if (key === 'name') candidate.name = meaningful(value);
    else candidate.callId = meaningful(value);
  });
  let found: Candidate | undefined;
  for (const candidate of candidates.values()) {
    if (isToolMessage(candidate) && candidate.depth < (found?.depth ?? Infinity)) found = candidate;
  }
  return found && { ...found, name: ownText(found.name), callId: ownText(found.callId) };
}

/** Not a part of what the tool answered, all of which it would keep alive. */
function ownText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : flat(text);
}

function isToolMessage({ name, callId, depth, objectKey }: Candidate): boolean {
  const isSerialised = depth === 2 && (objectKey === 'kwargs' || objectKey === 'lc_kwargs');
  return name !== undefined && (callId !== undefined || isSerialised);
}
