/**
 * An agent that runs two tools at the same time and one after them, with the packages of the folder it is started in:
 * any line of the SDK. Its NodeSDK is told by OTEL_* alone what to do.
 */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(`${process.cwd()}/`);
const { context, trace } = require('@opentelemetry/api');
const { NodeSDK } = require('@opentelemetry/sdk-node');

const TAKES_MILLIS = 30;

const sdk = new NodeSDK();
sdk.start();
await run(trace.getTracer('agent'), process.env.AGENT_NAME ?? '');
await sdk.shutdown();

async function run(tracer, name) {
  const start = (operation, key, value, inside = context.active()) =>
    tracer.startSpan(operation, { attributes: { 'gen_ai.operation.name': operation, [key]: value } }, inside);
  const agent = start('invoke_agent', 'gen_ai.agent.name', name);
  const inside = trace.setSpan(context.active(), agent);
  const together = ['search', 'fetch'].map((tool) => start('execute_tool', 'gen_ai.tool.name', tool, inside));
  await sleep(TAKES_MILLIS);
  for (const tool of together) tool.end();
  await sleep(TAKES_MILLIS);
  const write = start('execute_tool', 'gen_ai.tool.name', 'write', inside);
  await sleep(TAKES_MILLIS);
  write.end();
  agent.end();
}
