import { fuzzDecoders } from './fuzz-decoders.ts';

/** `npm run fuzz [bodies] [seed]`: for as long as one likes; the same seed gives the same bodies. */
const [bodies = '10000000', seed = String(Date.now() % 2 ** 32)] = process.argv.slice(2);
const ROUND = 100_000;

for (let done = 0; done < Number(bodies); done += ROUND) {
  const round = (Number(seed) + done) % 2 ** 32;
  const start = performance.now();
  const { decoded, malformed, slowest } = fuzzDecoders(Math.min(ROUND, Number(bodies) - done), round);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(
    `seed ${round}: ${decoded} decoded, ${malformed} malformed, slowest ${slowest.toFixed(1)} ms, heap ${heap} MiB, ${seconds} s`,
  );
}
