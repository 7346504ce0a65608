import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { otlpRequest } from './forwarder-upstreams.ts';

/**
 * Takes requests into a durable queue as fast as it can, and prints the name of each once it was accepted, until it is
 * killed. Arguments: the queue's directory, the endpoint, what names begin with.
 */
const [storage = '', endpoint = '', prefix = ''] = process.argv.slice(2);
const retry = { initialIntervalMillis: 5, maxIntervalMillis: 20 };
const forwarder = await Forwarder.open({ endpoint, protocol: 'http', queue: { storage }, retry });

for (let i = 0; ; i += 4) {
  const names = [i, i + 1, i + 2, i + 3].map((number) => `${prefix}-${number}`);
  await Promise.all(
    names.map(async (name) => {
      const body = Buffer.from(name.padEnd(1 + ((i * 7_919) % 20_000), ' '));
      const answer = await forwarder.forward(otlpRequest({ body }));
      if (answer === undefined) process.stdout.write(`${name}\n`);
    }),
  );
}
