import type { PlanStore } from '../store/plan-store.ts';
import { tell } from '../support/tell.ts';

/** Looks now and then whether a store can be read, so that whoever asks for readiness need not wait for it. */
export class StoreHealth {
  readonly #store: PlanStore;
  readonly #timer: NodeJS.Timeout;
  #isGood = true;

  constructor(store: PlanStore, everyMillis: number = PROBE_MILLIS) {
    this.#store = store;
    this.#timer = setInterval(() => void this.check(), everyMillis).unref();
  }

  get isGood(): boolean {
    return this.#isGood;
  }

  /** @returns what went wrong, where something did. */
  async check(): Promise<Error | undefined> {
    try {
      await this.#store.runs(PROBED_AGENT, 1);
      if (!this.#isGood) tell.info('spanplan: the store can be used again');
      this.#isGood = true;
      return undefined;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      if (this.#isGood) tell.warn(`spanplan: the store cannot be used; runs wait: ${failure.message}`);
      this.#isGood = false;
      return failure;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const PROBE_MILLIS = 2_000;
/** Reading what any agent did shows whether reading works; this one is what nameless spans are given to. */
const PROBED_AGENT = 'unknown';
