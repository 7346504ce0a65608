import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceOf } from '../../src/source/otlp/resource.ts';
import { boundedName } from '../../src/support/bounded-name.ts';

const PROCESS = { 'service.name': 'planner', 'host.name': 'secret-host', 'process.pid': 4242 };

describe('resourceOf', () => {
  it('gives one process one identity, in whatever order, type and company its attributes come', () => {
    const { identity } = resourceOf(PROCESS);
    const shuffled = { 'process.pid': '4242', 'host.name': 'secret-host', 'service.name': 'planner' };
    expect(resourceOf(shuffled).identity).toBe(identity);
    expect(resourceOf({ ...PROCESS, 'process.pid': 4242n }).identity).toBe(identity);
    expect(resourceOf({ ...PROCESS, 'telemetry.sdk.version': '2.12.1', prompt: 'x' }).identity).toBe(
      identity,
    );
  });

  it.each([
    'service.namespace',
    'service.name',
    'service.instance.id',
    'host.id',
    'host.name',
    'process.pid',
    'container.id',
    'k8s.pod.uid',
  ])('tells processes apart by %s', (key) => {
    expect(resourceOf({ ...PROCESS, [key]: 'other' }).identity).not.toBe(resourceOf(PROCESS).identity);
  });

  it('gives each process the same identity and name again and again, whatever others come between', () => {
    const value = fc.constantFrom(undefined, '', 'a', 'b', 1, 2, 2n, '2', null, ['a'], 'x'.repeat(257));
    const attributes = fc.record({ 'service.name': value, 'host.name': value, 'process.pid': value });
    fc.assert(
      fc.property(fc.array(attributes, { maxLength: 60 }), (resources) => {
        const identities = new Map<string, string>();
        for (const resource of resources) {
          const told = Object.values(resource).map((value) =>
            ['string', 'number', 'bigint'].includes(typeof value) ? String(value) : null,
          );
          const { identity, serviceName } = resourceOf(resource);
          const known = identities.get(JSON.stringify(told)) ?? identity;
          expect(identity).toBe(known);
          identities.set(JSON.stringify(told), identity);
          const name = resource['service.name'];
          expect(serviceName).toBe(typeof name === 'string' && name !== '' ? boundedName(name) : undefined);
        }
        expect(new Set(identities.values()).size).toBe(identities.size);
      }),
    );
  });

  it('hands out one object for a process whose requests follow one another', () => {
    const [first, second] = [
      resourceOf({ ...PROCESS }),
      resourceOf({ ...PROCESS, 'telemetry.sdk.name': 'x' }),
    ];
    expect(second).toBe(first);
  });

  it('keeps no text that is long, and tells those apart all the same', () => {
    const long = 'x'.repeat(60_000);
    const [one, other] = [`${long}1`, `${long}2`].map((name) =>
      resourceOf({ ...PROCESS, 'service.name': name }),
    );
    expect(one?.identity).not.toBe(other?.identity);
    expect(one?.serviceName).not.toBe(other?.serviceName);
    expect(Buffer.byteLength(one?.serviceName ?? '')).toBe(256);
  });

  it('does not mistake one attribute for another', () => {
    expect(resourceOf({ 'host.id': 'a' }).identity).not.toBe(resourceOf({ 'host.name': 'a' }).identity);
  });

  it('shows nothing of what it is made of', () => {
    expect(resourceOf(PROCESS).identity).toMatch(/^[0-9a-f]{32}$/);
  });

  it('knows the service name where there is one', () => {
    expect(resourceOf(PROCESS).serviceName).toBe('planner');
    for (const name of [undefined, '', 7, null, ['x']]) {
      expect(resourceOf({ 'service.name': name }).serviceName).toBeUndefined();
    }
  });

  it('copes with values of any type', () => {
    const odd = { 'host.id': { a: 1 }, 'host.name': [1], 'process.pid': null, 'container.id': Symbol('x') };
    expect(resourceOf(odd).identity).toBe(resourceOf({}).identity);
  });
});
