/** A span of a made-up request: the fields that matter to a test. */
export interface MadeSpan {
  readonly id: number;
  readonly parent?: number;
  readonly name?: string;
  readonly from: number;
  readonly to: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** An OTLP/JSON request of one trace; times in milliseconds from a fixed instant. */
export function spanRequest(spans: readonly MadeSpan[], { trace = 1, scope = 'made-up' } = {}): object {
  const attributesOf = (attributes: Readonly<Record<string, string>>) =>
    Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const made = spans.map(({ id, parent, name = 'span', from, to, attributes = {} }) => ({
    traceId: trace.toString(16).padStart(32, '0'),
    spanId: id.toString(16).padStart(16, '0'),
    ...(parent !== undefined && { parentSpanId: parent.toString(16).padStart(16, '0') }),
    name,
    startTimeUnixNano: `${1_795_350_000_000 + from}000000`,
    endTimeUnixNano: `${1_795_350_000_000 + to}000000`,
    attributes: attributesOf(attributes),
  }));
  return { resourceSpans: [{ scopeSpans: [{ scope: { name: scope }, spans: made }] }] };
}

/** An agent that calls two tools at the same time, under names that may be anything. */
export function fanout(agent: string, tools: readonly string[], trace = 1): object {
  const agentSpan = {
    id: 1,
    name: 'invoke_agent',
    from: 0,
    to: 1_000,
    attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent },
  };
  const toolSpans = tools.map((tool, at) => ({
    id: 2 + at,
    parent: 1,
    name: 'execute_tool',
    from: 100 + at * 10,
    to: 500,
    attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool },
  }));
  return spanRequest([agentSpan, ...toolSpans], { trace });
}
