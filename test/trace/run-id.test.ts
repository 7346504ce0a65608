import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runIdOf } from '../../src/trace/run-id.ts';

/** RFC 9562, 5.5, step by step. */
function uuid5(namespace: string, name: string): string {
  const bytes = createHash('sha1').update(namespace, 'hex').update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const NAMESPACE = '6f1d1c0a5b7e4d0e9a3f2c8b7d615e42';

it('is the UUID of version 5 of where the run stands, whatever runs came before', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom('a', '€', '𝄞', '\ud800'), maxLength: 200 }),
  );
  const traceId = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });
  const run = fc.record({
    traceId: fc.oneof(traceId, text),
    spanId: fc.oneof(fc.constant('00f067aa0ba902b7'), text),
    segment: fc.constantFrom(1, 1, 2, 10_000),
    agent: fc.option(text, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(run), (runs) => {
      for (const { traceId, spanId, segment, agent = '' } of runs) {
        const more = segment === 1 && agent === '' ? '' : `/${segment}/${agent}`;
        const id = runIdOf(traceId, spanId, segment, agent);
        expect(id).toBe(uuid5(NAMESPACE, `${traceId}/${spanId}${more}`));
      }
    }),
  );
});

it('is the same in every release, as runs that were learned are known by it', () => {
  const ids = [
    runIdOf('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', 1),
    runIdOf('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', 2, 'planner'),
  ];
  expect(ids).toEqual(['39e22ed1-a28f-5144-8591-8ae6103afece', '51539703-36f1-51e1-a2d8-fe21d37f2cee']);
});
