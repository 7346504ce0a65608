import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** Spans of an agent as OpenTelemetry's GenAI conventions write them, at times of the test's choosing. */

/** Some moment; times in tests are milliseconds after it. */
export const START = Date.UTC(2026, 10, 22, 13);

export interface PlannedCall {
  readonly tool: string;
  readonly from: number;
  readonly to: number;
}

/** Two tools at the same time, a third one after both. */
export const FAN_OUT: readonly PlannedCall[] = [
  { tool: 'search', from: 10, to: 60 },
  { tool: 'fetch', from: 12, to: 50 },
  { tool: 'summarize', from: 70, to: 90 },
];

export function startAgent(tracer: Tracer, agent: string, parent: Context = ROOT_CONTEXT, at = 0): Span {
  const attributes = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent };
  return tracer.startSpan(`invoke_agent ${agent}`, { attributes, startTime: START + at }, parent);
}

export function startTool(
  tracer: Tracer,
  tool: string,
  agent: Span,
  at: number,
  more: Attributes = {},
): Span {
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool, ...more };
  return tracer.startSpan(
    `execute_tool ${tool}`,
    { attributes, startTime: START + at },
    trace.setSpan(ROOT_CONTEXT, agent),
  );
}

/** One whole run of an agent. */
export function runAgent(
  tracer: Tracer,
  agent: string,
  calls: readonly PlannedCall[] = FAN_OUT,
  parent: Context = ROOT_CONTEXT,
): void {
  const root = startAgent(tracer, agent, parent);
  for (const { tool, from, to } of calls) startTool(tracer, tool, root, from).end(START + to);
  root.end(START + 100);
}
