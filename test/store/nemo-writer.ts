/**
 * A process with the published learner of nemo-flow-node on its Redis backend; started by nemo-flow.test.ts.
 * Arguments: socket, key prefix, agent, tool names joined by commas that run at the same time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startNemo } from '../../bench/nemo-learner.ts';

const [socket = '', keyPrefix = '', agentId = '', tools = ''] = process.argv.slice(2);

const nemo = await startNemo(socket, keyPrefix, agentId);
nemo.run(tools.split(','));
// The learner writes in the background.
await sleep(400);
nemo.stop();
process.exit(0);
