/**
 * A process with the published learner of nemo-flow-node on its Redis backend; started by nemo-flow.test.ts.
 * Arguments: socket, key prefix, agent, tool names joined by commas that run at the same time.
 */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [socket = '', keyPrefix = '', agentId = '', tools = ''] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const nemo = require('nemo-flow-node');
const plugin = require('nemo-flow-node/plugin');
const adaptive = require('nemo-flow-node/adaptive');

const config = plugin.defaultConfig();
config.components = [
  adaptive.ComponentSpec({
    ...adaptive.defaultConfig(),
    agent_id: agentId,
    state: { backend: adaptive.redisBackend(`redis+unix://${socket}`, keyPrefix) },
    telemetry: adaptive.telemetryConfig({ learners: ['tool_parallelism'] }),
  }),
];
await plugin.initialize(config);

const AGENT_SCOPE = 0;
const scope = nemo.pushScope(agentId, AGENT_SCOPE);
const calls = tools.split(',').map((tool) => nemo.toolCall(tool, {}, scope));
await sleep(20);
for (const call of calls) nemo.toolCallEnd(call, {});
nemo.popScope(scope);
// The learner writes in the background.
await sleep(400);
plugin.clear();
process.exit(0);
