import { tell } from '../support/tell.ts';
import type { PlanChange } from './plan-store.ts';

/** The subscribers of one store object. Listeners are called one after the other; one that throws harms nobody. */
export class ChangeListeners {
  readonly #listeners = new Set<{ readonly call: (change: PlanChange) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** @returns a function that takes the listener out again; calling it twice is fine. */
  add(call: (change: PlanChange) => void): () => void {
    // An object of its own, so that a function that subscribes twice is called twice and can leave once.
    const listener = { call };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  notify(change: PlanChange): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(change);
      } catch (error) {
        tell.error('spanplan: a listener for plan changes threw', error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
