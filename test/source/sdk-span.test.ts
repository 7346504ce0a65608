import { describe, expect, it } from 'vitest';
import { type SdkSpan, SdkSpanReader } from '../../src/source/sdk-span.ts';

const RESOURCE = { attributes: { 'service.name': 'research' } };
const SPAN: SdkSpan = {
  name: 'search',
  kind: 2,
  spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }),
  startTime: [1, 2],
  endTime: [3, 4],
  ended: true,
  status: { code: 1 },
  attributes: {},
  resource: RESOURCE,
};

const read = (span: Partial<SdkSpan>, isRemote?: boolean) =>
  new SdkSpanReader().read({ ...SPAN, ...span }, isRemote);

describe('the parent of a span', () => {
  it('is none where the SDK writes none, an empty id or one of zeros', () => {
    expect(read({}).parentSpanId).toBeUndefined();
    for (const id of ['', '0'.repeat(16)]) {
      expect(read({ parentSpanId: id }).parentSpanId).toBeUndefined();
      expect(read({ parentSpanContext: { spanId: id } }).parentSpanId).toBeUndefined();
    }
    expect(read({ parentSpanId: 'c'.repeat(16) }).parentSpanId).toBe('c'.repeat(16));
  });

  it('is none where something else than an id stands there', () => {
    for (const id of [null, 5, {}, true]) {
      expect(read(Object.assign({}, { parentSpanId: id }) as Partial<SdkSpan>).parentSpanId).toBeUndefined();
    }
  });

  it('is that of its context where both are there', () => {
    const both = {
      parentSpanId: 'c'.repeat(16),
      parentSpanContext: { spanId: 'd'.repeat(16), isRemote: false },
    };
    expect(read(both, true)).toMatchObject({ parentSpanId: 'd'.repeat(16), parentIsRemote: false });
  });
});

describe('the kind of a span', () => {
  it.each([
    [0, 1],
    [4, 5],
    [5, 0],
    [-1, 0],
  ])('%d of the API is %d of OTLP', (kind, expected) => {
    expect(read({ kind }).kind).toBe(expected);
  });
});

describe('the service of a resource', () => {
  const serviceOf = (resource: SdkSpan['resource']) => read({ resource }).resource.serviceName;

  it('is a name that is a text and not empty', () => {
    expect(serviceOf(RESOURCE)).toBe('research');
    expect(serviceOf({ attributes: { 'service.name': '' } })).toBeUndefined();
    expect(serviceOf({ attributes: { 'service.name': 7 } })).toBeUndefined();
  });

  it('is looked for in what is there already while other attributes are being found out', () => {
    const resource = {
      asyncAttributesPending: true,
      get attributes(): object {
        throw new Error('reading them now is an error in the log of the application');
      },
    };
    const raw = [
      ['service.name', Promise.resolve('slow')],
      ['service.name', 'research'],
    ] as const;
    expect(serviceOf(Object.create(resource, { getRawAttributes: { value: () => raw } }))).toBe('research');
    const sync = { _syncAttributes: { value: { 'service.name': 'older' } } };
    expect(serviceOf(Object.create(resource, sync))).toBe('older');
    expect(serviceOf(resource)).toBeUndefined();
  });

  it('is looked for again once they have been found out, and then kept', () => {
    const reader = new SdkSpanReader();
    const resource = { attributes: { 'service.name': 'found' }, asyncAttributesPending: true };
    const service = () => reader.read({ ...SPAN, resource }, undefined).resource;
    expect(service().serviceName).toBeUndefined();
    resource.asyncAttributesPending = false;
    const known = service();
    expect(known.serviceName).toBe('found');
    expect(service()).toBe(known);
  });
});
