import { flat } from '../support/flat.ts';
import { MAX_ATTRIBUTE_LENGTH, meaningful } from '../support/meaningful.ts';
import { scanJson } from './scan-json.ts';

/** What LangChain says of a run in its metadata. */
interface LangchainRun {
  /** The agent whose run this is part of: `lc_agent_name`. */
  readonly agentName: string | undefined;
  /** The graph node this run is part of; missing on the graph's own span unless the graph runs inside another. */
  readonly node: string | undefined;
  /** What made the run, as `langgraph` or `langchain_create_agent`. */
  readonly integration: string | undefined;
}

/** Reads the metadata that LangChain's instrumentations attach as JSON; undefined where it says nothing of these. */
export function langchainRun(metadata: unknown): LangchainRun | undefined {
  if (typeof metadata !== 'string' || !MENTIONS.test(metadata)) return undefined;
  const found: Record<string, string> = {};
  scanJson(metadata.slice(0, MAX_ATTRIBUTE_LENGTH), ({ key, value, depth }) => {
    // As a part of the metadata it would keep all of that alive.
    if (depth === 1 && KEYS.has(key)) found[key] = flat(value);
  });
  return {
    agentName: meaningful(found.lc_agent_name ?? ''),
    node: meaningful(found.langgraph_node ?? ''),
    integration: found.ls_integration,
  };
}

const KEYS = new Set(['lc_agent_name', 'langgraph_node', 'ls_integration']);
const MENTIONS = /"(?:lc_agent_name|langgraph_node|ls_integration)"/;
