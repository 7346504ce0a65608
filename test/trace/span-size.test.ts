import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('measure-span-size.ts', import.meta.url));

/** In a process of its own: nothing else may move on its heap. */
it('estimates the heap of buffered traces within 30 %', { timeout: 60_000 }, () => {
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--expose-gc', SCRIPT], {
    encoding: 'utf8',
    // The test runner's own hooks are not wanted in there.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const fillings: Record<string, { spans: number; heap: number; estimate: number }> = JSON.parse(printed);
  expect(Object.keys(fillings)).toHaveLength(7);
  for (const [kind, { spans, heap, estimate }] of Object.entries(fillings)) {
    expect(spans, kind).toBeGreaterThan(5_000);
    expect(estimate / heap, `${kind}: ${(heap / spans).toFixed()} bytes a span`).toBeGreaterThan(0.7);
    expect(estimate / heap, `${kind}: ${(heap / spans).toFixed()} bytes a span`).toBeLessThan(1.3);
  }
});
