import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbPlanStore } from '../../src/store/lmdb-plan-store.ts';
import { describePlanStore } from './contract.ts';

describePlanStore('LmdbPlanStore', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanplan-lmdb-'));
  let path = '';
  let places = 0;
  return {
    fresh: () => {
      path = join(directory, `place-${places++}`);
    },
    make: (limits) => new LmdbPlanStore({ path, pollMillis: 50, ...limits }),
    isShared: true,
    dispose: async () => rmSync(directory, { recursive: true }),
  };
});
