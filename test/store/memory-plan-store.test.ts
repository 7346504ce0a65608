import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { describePlanStore } from './contract.ts';

describePlanStore('MemoryPlanStore', () => ({
  fresh: () => undefined,
  make: (limits) => new MemoryPlanStore(limits),
  isShared: false,
}));
