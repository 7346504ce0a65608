/** What ticks. Injected only where something does, so that tests can hold the hand of time; the core takes `now`. */
export interface Clock {
  /** Milliseconds on a scale that never goes back; only distances mean anything. */
  now(): number;
  /**
   * Calls `tick` about every `millis` milliseconds, without keeping the process alive.
   * @returns a function that stops it.
   */
  every(millis: number, tick: () => void): () => void;
}

/** In whole milliseconds: exact enough for who waits, and numbers that the engine keeps without an object for each. */
export const systemClock: Clock = {
  now: () => Math.floor(performance.now()),
  every(millis, tick) {
    const timer = setInterval(tick, millis);
    timer.unref();
    return () => clearInterval(timer);
  },
};
