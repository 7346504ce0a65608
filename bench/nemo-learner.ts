import { createRequire } from 'node:module';

/** The published learner of nemo-flow-node, set up as its documentation says. */
export interface NemoLearner {
  /** One run of an agent that calls these tools, all of them at once. */
  run(toolNames: readonly string[]): void;
  stop(): void;
}

/** @param keyPrefix of its keys in the Redis on that socket. */
export async function startNemo(socket: string, keyPrefix: string, agentId: string): Promise<NemoLearner> {
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
  return {
    run(toolNames) {
      const scope = nemo.pushScope(agentId, AGENT_SCOPE);
      const calls = toolNames.map((name) => nemo.toolCall(name, {}, scope));
      for (const call of calls) nemo.toolCallEnd(call, {});
      nemo.popScope(scope);
    },
    stop: () => plugin.clear(),
  };
}

const AGENT_SCOPE = 0;
