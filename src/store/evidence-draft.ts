import type { Evidence } from './agent-state.ts';
import { VersionedMap } from './versioned-map.ts';

/** Evidence while it is being changed; what it was made from stays as it is. */
export class EvidenceDraft {
  readonly changed = new Map<string, Evidence>();
  /** Whether something is in it that no run had supported before. */
  hasNew = false;
  readonly #before: ReadonlyMap<string, Evidence>;

  constructor(before: ReadonlyMap<string, Evidence>) {
    this.#before = before;
  }

  get(key: string): Evidence | undefined {
    return this.changed.get(key) ?? this.#before.get(key);
  }

  set(key: string, evidence: Evidence): void {
    if (!this.#before.has(key)) this.hasNew = true;
    this.changed.set(key, evidence);
  }

  /** Costs as much as was changed. */
  version(): ReadonlyMap<string, Evidence> {
    return VersionedMap.of(this.#before).with(this.changed);
  }

  /** Costs as much as there is. */
  all(): ReadonlyMap<string, Evidence> {
    return new Map([...this.#before, ...this.changed]);
  }
}
