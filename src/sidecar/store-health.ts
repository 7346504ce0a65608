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

  /** Looks, and tells of it where something has changed. */
  async check(): Promise<void> {
    this.note(await this.probe());
  }

  /** @returns what went wrong, where something did; nobody is told. */
  async probe(): Promise<Error | undefined> {
    try {
      await this.#store.runs(PROBED_AGENT, 1);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Takes what a look has shown. */
  note(failure: Error | undefined): void {
    if (failure === undefined && !this.#isGood) tell.info('spanplan: the store can be used again');
    if (failure !== undefined && this.#isGood) {
      tell.warn(`spanplan: the store cannot be used; runs wait: ${failure.message}`);
    }
    this.#isGood = failure === undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const PROBE_MILLIS = 2_000;
/** Reading what any agent did shows whether reading works; this one is what nameless spans are given to. */
const PROBED_AGENT = 'unknown';
