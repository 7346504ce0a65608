/**
 * Learning inside the agent's own process, into Redis:
 *
 *     REDIS_URL=redis://localhost:6379 npx tsx examples/in-process-redis.ts
 */
import { type Span, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { FanoutSpanProcessor } from 'spanplan';

async function main(store: string): Promise<void> {
  // The one line that an application adds. Its other processors and exporters stay as they are.
  const fanout = new FanoutSpanProcessor({ store });
  const provider = new NodeTracerProvider({ spanProcessors: [fanout] });
  provider.register();

  await answer('What is the weather like where I am going?');

  // At the end of the process. Serverless hosts call `provider.forceFlush()` at the end of each request instead.
  await provider.shutdown();
  const { learned } = fanout.account;
  if (learned === 0) {
    console.error('Nothing was learned; is there a Redis at REDIS_URL?');
    process.exitCode = 1;
    return;
  }
  console.log(
    `Learned from ${learned} spans. To see the plan: npx spanplan plan assistant --store "$REDIS_URL"`,
  );
}

/** Stands for an agent of any framework with OpenTelemetry; here its spans are made by hand (GenAI conventions). */
async function answer(_question: string): Promise<void> {
  const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'assistant' };
  await inSpan('invoke_agent assistant', agent, async () => {
    await Promise.all([callTool('calendar', 40), callTool('location', 60)]);
    await callTool('weather', 30);
  });
}

async function callTool(name: string, millis: number): Promise<void> {
  const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name };
  await inSpan(`execute_tool ${name}`, tool, () => new Promise((resolve) => setTimeout(resolve, millis)));
}

function inSpan(name: string, attributes: Record<string, string>, work: () => Promise<void>): Promise<void> {
  return trace.getTracer('assistant').startActiveSpan(name, { attributes }, async (span: Span) => {
    await work();
    span.end();
  });
}

if (process.env.REDIS_URL) {
  await main(process.env.REDIS_URL);
} else {
  console.error('Set REDIS_URL to the URL of a Redis, such as redis://localhost:6379.');
  process.exitCode = 2;
}
