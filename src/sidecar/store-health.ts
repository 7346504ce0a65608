import type { PlanStore } from '../store/plan-store.ts';
import { tell } from '../support/tell.ts';
import { messageOf } from '../support/told-error.ts';

/** A store that could not be read. */
export interface StoreFailure {
  /** Whose plans it holds; undefined for those of no tenant. */
  readonly tenant: string | undefined;
  readonly message: string;
}

/** The stores of all tenants, by the tenant's name. */
type Stores = ReadonlyMap<string | undefined, { readonly store: PlanStore }>;

/** Looks now and then whether the stores can be read, so that whoever asks for readiness need not wait for it. */
export class StoreHealth {
  readonly #stores: Stores;
  readonly #timer: NodeJS.Timeout;
  #isGood = true;
  #isLooking = false;

  constructor(stores: Stores, everyMillis: number = PROBE_MILLIS) {
    this.#stores = stores;
    this.#timer = setInterval(() => void this.check(), everyMillis).unref();
  }

  /** False where any of them cannot be read. */
  get isGood(): boolean {
    return this.#isGood;
  }

  /** Looks, and tells of it where something has changed. */
  async check(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.note(await this.probe());
    this.#isLooking = false;
  }

  /** @returns what went wrong, where something did; nobody is told. */
  async probe(): Promise<readonly StoreFailure[]> {
    const looks = [...this.#stores].map(async ([tenant, { store }]) => {
      try {
        await store.runs(PROBED_AGENT, 1);
        return [];
      } catch (error) {
        return [{ tenant, message: messageOf(error) }];
      }
    });
    return (await Promise.all(looks)).flat();
  }

  /** Takes what a look has shown. */
  note(failures: readonly StoreFailure[]): void {
    const [first] = failures;
    if (first === undefined && !this.#isGood) tell.info('spanplan: the store can be used again');
    if (first !== undefined && this.#isGood) {
      tell.warn(`spanplan: the store cannot be used; runs wait: ${describeStoreFailure(first)}`);
    }
    this.#isGood = first === undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The failure in words that say which of several stores it is. */
export function describeStoreFailure({ tenant, message }: StoreFailure): string {
  return tenant === undefined ? message : `The plans of tenant ${JSON.stringify(tenant)}: ${message}`;
}

const PROBE_MILLIS = 2_000;
/** Reading what any agent did shows whether reading works; this one is what nameless spans are given to. */
const PROBED_AGENT = 'unknown';
