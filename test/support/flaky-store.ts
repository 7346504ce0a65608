import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { type ApplyOutcome, type RunChange, StoreError } from '../../src/store/plan-store.ts';

/** How the next writes go. `lost`: they take effect, but the reply does not come back. */
export type Weather = 'fine' | 'slow' | 'away' | 'full' | 'broken' | 'thrown' | 'hanging' | 'lost';

/** A store that does what it is told, well or badly. */
export class FlakyStore extends MemoryPlanStore {
  weather: Weather = 'fine';

  override apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    switch (this.weather) {
      case 'away':
        return Promise.reject(new StoreError('unavailable', 'gone'));
      case 'full':
        return Promise.reject(new StoreError('agent_limit', 'full'));
      case 'broken':
        return Promise.reject(new TypeError('secret'));
      case 'thrown':
        throw new TypeError('secret');
      case 'hanging':
        return new Promise(() => {});
      case 'slow':
        return new Promise((resolve) => setImmediate(resolve)).then(() => super.apply(agentId, changes));
      case 'lost':
        return super.apply(agentId, changes).then(() => Promise.reject(new StoreError('unavailable', 'cut')));
      default:
        return super.apply(agentId, changes);
    }
  }
}
