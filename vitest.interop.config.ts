import { defineConfig } from 'vitest/config';

/** `npm run test:interop`: apart from the other tests, for it installs what other languages need. */
export default defineConfig({
  test: {
    include: ['test/interop/*.interop.ts'],
    pool: 'forks',
    testTimeout: 30_000,
  },
});
