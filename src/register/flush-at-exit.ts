import type { FanoutSpanProcessor } from '../fanout-span-processor.ts';

/**
 * What is to be done with a processor when the process runs out of work: finished traces are learned, and, where that
 * made no more work for the application, unfinished ones too. A store that hangs costs the processor's timeout, once.
 * @returns the listener for `beforeExit`, which comes again after each step that took time.
 */
export function flushAtExit(processor: FanoutSpanProcessor): () => void {
  let received = 0;
  let isDone = false;
  return () => {
    const account = processor.account;
    if (isDone || account.buffered + account.awaiting === 0) return;
    isDone = account.received === received;
    received = account.received;
    // What still waits to be written, the store did not take within the timeout; the process is not held up again.
    if (isDone && account.awaiting > 0) return;
    // Neither rejects.
    void (isDone ? processor.shutdown() : processor.forceFlush());
  };
}
