import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainSpan } from '../../src/model/numeric-span.ts';
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

describe('the ids and times of a span', () => {
  const digits = (count: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: count, maxLength: count });
  const isNone = (id: string) => /^0*$/.test(id);
  const nanos = fc.integer({ min: 0, max: 999_999_999 });
  const time = fc.tuple(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), nanos);

  it('are what it says', () => {
    const given = fc.record({
      spanId: digits(16),
      parent: fc.option(digits(16), { nil: undefined }),
      startTime: time,
      endTime: time,
      ended: fc.boolean(),
      isRemote: fc.constantFrom(undefined, false, true),
    });
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 5 }), (spans) => {
        const reader = new SdkSpanReader();
        for (const { spanId, parent, startTime, endTime, ended, isRemote } of spans) {
          const context = { traceId: 'a'.repeat(32), spanId };
          const span = { ...SPAN, spanContext: () => context, startTime, endTime, ended };
          const parentOf = parent === undefined ? {} : { parentSpanId: parent };
          expect(plainSpan(reader.read({ ...span, ...parentOf }, isRemote))).toMatchObject({
            ...context,
            parentSpanId: parent === undefined || isNone(parent) ? undefined : parent,
            parentIsRemote: isRemote,
            start: startTime,
            end: ended ? endTime : undefined,
          });
        }
      }),
    );
  });

  it('are put right where an SDK rounds up to a second, or counts back from 1970', () => {
    expect(read({ startTime: [1, 1e9], endTime: [-1, -5e8] })).toMatchObject({
      start: [2, 0],
      end: [-2, 5e8],
    });
  });

  it('are an error where they are none', () => {
    for (const spanId of ['', 'a', 'x'.repeat(16), 'a'.repeat(17)]) {
      expect(() => read({ spanContext: () => ({ traceId: 'a'.repeat(32), spanId }) })).toThrow(RangeError);
    }
    expect(() => read({ startTime: [1e12, 0] })).toThrow(RangeError);
    expect(() => read({ endTime: [Number.NaN, 0] })).toThrow(RangeError);
    expect(read({ endTime: [Number.NaN, 0], ended: false }).end).toBeUndefined();
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
