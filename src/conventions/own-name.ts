import { isGeneratedId, meaningful } from '../support/meaningful.ts';

/**
 * Tells a name that somebody gave an agent from one that the framework puts there when nobody did: the name of a
 * class, or of the kind of work, or an id. Two agents that share such a name are not one agent, so it counts as missing.
 * @returns undefined where `name` is missing, a placeholder, or the framework's own.
 */
export function ownName(name: string | undefined): string | undefined {
  // Agent Framework and Agno put an id made anew for each agent object where they were given no name.
  const own = name === undefined ? undefined : meaningful(name);
  return own === undefined || FRAMEWORK_NAMES.has(own) || isGeneratedId(own) ? undefined : own;
}

const FRAMEWORK_NAMES = new Set([
  // LangChain and LangGraph, both languages: what a graph or chain is called that was given no name
  'LangGraph',
  'CompiledStateGraph',
  'CompiledGraph',
  'StateGraph',
  'Pregel',
  'AgentExecutor',
  'LLMChain',
  'RunnableAssign',
  'RunnableBranch',
  'RunnableCallable',
  'RunnableLambda',
  'RunnableMap',
  'RunnableParallel',
  'RunnablePassthrough',
  'RunnableSequence',
  '__start__',
  '__end__',
  // OpenAI Agents: the default name of a trace
  'Agent workflow',
  'Agent Workflow',
  // pydantic-ai: the span of any run, and an agent that was given no name
  'agent run',
  'agent',
  // smolagents: the classes that stand in for a name
  'CodeAgent',
  'MultiStepAgent',
  'ToolCallingAgent',
  // Strands, both languages: an agent that was given no name
  'Strands Agents',
  'Strands Agent',
]);
