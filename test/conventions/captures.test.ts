import { describe, expect, it } from 'vitest';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { CAPTURE_NAMES, expectedOf } from '../support/captures.ts';
import { recordedSpans } from './recorded-spans.ts';

/** The tools that do something; every other tool of a recording calls a sub-agent. */
const LEAVES = ['fetch', 'search', 'summarize', 'weather'];

/** What the trace does not hold cannot be recognised. */
const WITHOUT_TOOLS = new Set(['langchain-langsmith-parallel', 'openai-loop-openinference-llmonly']);

/** One tool for each sub-agent, under the name its framework gives it. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  'adk-multi': ['analyst', 'researcher'],
  'adk-py-multi': ['analyst', 'researcher'],
  'agent-framework-multi': ['ask_analyst', 'ask_researcher'],
  'agno-multi': ['ask_analyst', 'ask_researcher'],
  'ai4-multi': ['ask_analyst', 'ask_researcher'],
  'ai5-multi': ['ask_analyst', 'ask_researcher'],
  'ai6-agent-multi': ['analyst', 'researcher'],
  'ai7-otel-agent-multi': ['analyst', 'researcher'],
  'autogen-multi': ['ask_analyst', 'ask_researcher'],
  'genkit-agent-multi': ['ask_analyst', 'ask_researcher'],
  'genkit-multi': ['ask_analyst', 'ask_researcher'],
  'genkit-prompt-multi': ['ask_analyst', 'ask_researcher'],
  'langchain-openinference-multi': ['ask_analyst', 'ask_researcher'],
  'langchain-py-langfuse-multi': ['ask_analyst', 'ask_researcher'],
  'langchain-py-langsmith-multi': ['ask_analyst', 'ask_researcher'],
  'langchain-py-traceloop-multi': ['ask_analyst', 'ask_researcher'],
  'langchain-traceloop-sdk-multi': ['ask_analyst', 'ask_researcher'],
  'mastra-bridge-multi': ['agent-analyst', 'agent-researcher'],
  'mastra-otel-multi': ['agent-analyst', 'agent-researcher'],
  'nemo-flow-otel-multi-nofork': ['ask_analyst', 'ask_researcher'],
  'nemo-relay-full-multi-nofork': ['ask_analyst', 'ask_researcher'],
  'nemo-relay-gen_ai-multi': ['ask_analyst', 'ask_researcher'],
  'nemo-relay-openinference-multi': ['ask_analyst', 'ask_researcher'],
  'openai-agents-multi': ['ask_analyst', 'ask_researcher'],
  'strands-ts-multi': ['ask_analyst', 'ask_researcher'],
  'voltagent-multi': ['ask_analyst', 'ask_researcher'],
};

/** Recordings whose spans say nowhere what the agent is called. */
const NAMELESS = /^(?:langchain-traceloop|langchain-langsmith|openai-loop-openinference-llmonly)/;

const recogniser = createRecogniser({
  onError: (rule) => {
    throw new Error(`${rule} threw`);
  },
});

it('has all recordings', () => {
  expect(CAPTURE_NAMES).toHaveLength(92);
});

describe.each(CAPTURE_NAMES)('%s', (capture) => {
  const expected = expectedOf(capture);
  const spans = recordedSpans(capture);
  const verdicts = spans.map((span) => recogniser.recognise(span));
  const tools = verdicts.filter(({ role }) => role === 'tool').map(({ name }) => name ?? '');

  it('shows each tool call once, under its name', () => {
    const leaves = tools.filter((name) => LEAVES.includes(name));
    expect(leaves).toHaveLength(WITHOUT_TOOLS.has(capture) ? 0 : expected.tool_calls);
    expect(tools.filter((name) => !LEAVES.includes(name)).sort()).toEqual(CALLERS[capture] ?? []);
  });

  it('names its agents', () => {
    const names = verdicts
      .filter(({ role }) => role === 'agent' || role === 'workflow')
      .flatMap(({ name, frameworkName }) => name ?? frameworkName ?? []);
    const agents = expected.agents === undefined ? [expected.agent] : Object.keys(expected.agents);
    if (NAMELESS.test(capture)) expect(names).not.toContain(expected.agent);
    // the recorded workflow agent of ADK stands in the orchestrator's place
    else
      expect(names).toEqual(
        expect.arrayContaining(
          agents.map((name) =>
            capture === 'adk-parallelagent' && name === 'orchestrator' ? 'fanout' : name,
          ),
        ),
      );
  });

  it('gives the same verdicts when only the wanted attributes are decoded', () => {
    const decoded = spans.map((span) => ({
      ...span,
      attributes: Object.fromEntries(
        Object.entries(span.attributes).filter(([key]) => recogniser.attributes.wants(key)),
      ),
    }));
    expect(decoded.map((span) => recogniser.recognise(span))).toEqual(verdicts);
  });

  it('lets no prompt, argument or result through', () => {
    const said = JSON.stringify(verdicts);
    expect(said).not.toMatch(/lisbon|example\.test|Use the tools|result for/i);
  });
});
