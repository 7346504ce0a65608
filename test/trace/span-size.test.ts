import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('measure-span-size.ts', import.meta.url));

/** In a process of its own: nothing else may move on its heap. */
it.each([
  'recorded traces',
  'traces released and kept',
  'traces of one span',
  'traces of one span, released and kept',
  'a buffer that let 60,000 traces go',
  'spans of an SDK that never end',
  'one long trace',
])('estimates within 30 percent the heap of %s', { timeout: 60_000 }, async (kind) => {
  const printed = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--expose-gc', SCRIPT, kind],
    // The test runner's own hooks are not wanted in there.
    { env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const { spans, heap, estimate }: Record<'spans' | 'heap' | 'estimate', number> = JSON.parse(printed.stdout);
  const told = `${(heap / spans).toFixed()} bytes a span, estimated ${(estimate / spans).toFixed()}`;
  expect(spans).toBeGreaterThan(5_000);
  expect(estimate / heap, told).toBeGreaterThan(0.7);
  expect(estimate / heap, told).toBeLessThan(1.3);
});
