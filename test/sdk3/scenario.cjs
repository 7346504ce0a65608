/**
 * What an application with the SDK line 3.x does, however it loaded its packages: an agent whose tools overlap, with
 * attribute values that only this line lets through, and a request of which only a hundredth is sampled.
 * @returns what was learned, for the test to judge.
 */
module.exports = async function scenario({ api, sdk, spanplan }) {
  const store = new spanplan.MemoryPlanStore();
  const processor = new spanplan.FanoutSpanProcessor({ store });
  const provider = new sdk.TracerProvider({ spanProcessors: [processor] });
  run(provider.getTracer('an-agent'), 'planner');

  const notSampled = new sdk.TracerProvider({
    spanProcessors: [processor],
    sampler: sdk.createAlwaysRecordSampler(new sdk.AlwaysOffSampler()),
  });
  run(notSampled.getTracer('an-agent'), 'unsampled');

  const remote = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1, isRemote: true };
  run(provider.getTracer('an-agent'), 'callee', api.trace.setSpanContext(api.ROOT_CONTEXT, remote));

  await provider.forceFlush({ timeoutMillis: 1000 });
  const account = processor.account;
  const reader = new spanplan.PlanReader({ store });
  const calls = ['search', 'fetch', 'summarize'];
  const batches = await reader.partition('planner', calls);
  await Promise.all([provider.shutdown(), notSampled.shutdown()]);

  const groups = {};
  for (const agent of await store.agents()) {
    const stored = await store.load(agent);
    groups[agent] = stored?.plan.parallel_groups.map((group) => group.tool_names) ?? [];
  }
  const [firstRun] = await store.runs('planner');
  return { node: process.versions.node, groups, batches, account, llm: firstRun?.calls.at(-1) };

  function run(tracer, agent, parent = api.ROOT_CONTEXT) {
    const start = Date.UTC(2026, 10, 22, 13);
    const root = tracer.startSpan(
      `invoke_agent ${agent}`,
      {
        startTime: start,
        attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, ...ODD_VALUES },
      },
      parent,
    );
    const inside = api.trace.setSpan(parent, root);
    const child = (name, attributes, from, to) => {
      const span = tracer.startSpan(name, { startTime: start + from, attributes }, inside);
      span.end(start + to);
    };
    const tool = (name, from, to) =>
      child(
        `execute_tool ${name}`,
        { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name, ...ODD_VALUES },
        from,
        to,
      );
    tool('search', 10, 60);
    tool('fetch', 12, 50);
    tool('summarize', 70, 90);
    child(
      'chat',
      { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': { not: 'a number' } },
      92,
      95,
    );
    root.end(start + 100);
  }
};

/** Keys that conventions read, with values that no earlier line would have kept. */
const ODD_VALUES = {
  'gen_ai.tool.call.id': { nested: [1, null, { deep: true }] },
  'gen_ai.agent.id': null,
  'openinference.span.kind': ['TOOL', 1, null],
  'tool.name': new Uint8Array([1, 2, 3]),
  'traceloop.span.kind': { kind: 'tool' },
};
