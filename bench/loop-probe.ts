import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded into a server before all else, this tells the process that started it how late its event loop is and how much
 * memory it has.
 */
export interface ProbeReading {
  /** The 99th percentile of the time between two looks that are to be a millisecond apart. */
  readonly loopMillis: number;
  readonly rss: number;
  /** What the process still uses, on the heap and beside it; exact only where garbage was just collected. */
  readonly live: number;
  /** CPU time in microseconds since the process began. */
  readonly cpu: number;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('message', (message) => {
  if (message === 'reset') delay.reset();
  if (message === 'collect') globalThis.gc?.();
  if (message !== 'probe' && message !== 'collect') return;
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const reading: ProbeReading = {
    loopMillis: delay.percentile(99) / 1e6,
    rss,
    live: heapUsed + external,
    cpu: user + system,
  };
  process.send?.({ reading });
});
process.channel?.unref();
