import * as sdk from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type SdkSamplers, sdkSettings } from '../../src/register/sdk-settings.ts';

// What the SDK 3.x is told of the environment, as the lines before it read it themselves.

const samplers = sdk as SdkSamplers;
const samplerFor = (env: Record<string, string>) => sdkSettings(samplers, env).provider.sampler?.toString();

it.each([
  [{}, undefined],
  [{ OTEL_TRACES_SAMPLER: '' }, undefined],
  [{ OTEL_TRACES_SAMPLER: 'always_on' }, 'AlwaysOnSampler'],
  [{ OTEL_TRACES_SAMPLER: ' always_off ' }, 'AlwaysOffSampler'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, 'TraceIdRatioBased{0.25}'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio' }, 'TraceIdRatioBased{1}'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 'TraceIdRatioBased{0}'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '7' }, 'TraceIdRatioBased{1}'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' }, 'TraceIdRatioBased{1}'],
  [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, undefined],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' }, undefined],
])('the sampler of %j is %s', (env, sampler) => {
  expect(samplerFor(env as Record<string, string>)).toBe(sampler);
});

it.each([
  ['always_on', 'AlwaysOnSampler'],
  ['always_off', 'AlwaysOffSampler'],
  ['traceidratio', 'TraceIdRatioBased{1}'],
])('parentbased_%s asks the parent first', (name, root) => {
  expect(samplerFor({ OTEL_TRACES_SAMPLER: `parentbased_${name}` })).toMatch(`ParentBased{root=${root},`);
});

it('limits and batches are numbers of the environment; a special limit wins over a general one', () => {
  const { provider, batch } = sdkSettings(samplers, {
    OTEL_ATTRIBUTE_COUNT_LIMIT: '10',
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '5',
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
    OTEL_SPAN_LINK_COUNT_LIMIT: '0',
    OTEL_SPAN_EVENT_COUNT_LIMIT: ' ',
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_BSP_MAX_QUEUE_SIZE: '-1',
  });
  expect(provider.spanLimits).toEqual({
    attributeCountLimit: 5,
    attributeValueLengthLimit: 100,
    linkCountLimit: 0,
  });
  expect(batch).toEqual({ scheduledDelayMillis: 200 });
});

it('whatever the environment holds, the sampler can be made and every number is one of 0 or more', () => {
  const names = [
    'OTEL_TRACES_SAMPLER_ARG',
    'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    'OTEL_BSP_MAX_QUEUE_SIZE',
    'OTEL_BSP_EXPORT_TIMEOUT',
  ];
  const text = fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom('NaN', '-0', '1e999', '0x10'));
  const env = fc.dictionary(fc.constantFrom(...names), text);
  fc.assert(
    fc.property(env, (values) => {
      const { provider, batch } = sdkSettings(samplers, { ...values, OTEL_TRACES_SAMPLER: 'traceidratio' });
      const ratio = Number(/\{(.*)\}/.exec(String(provider.sampler))?.[1]);
      expect(ratio >= 0 && ratio <= 1).toBe(true);
      for (const value of Object.values({ ...provider.spanLimits, ...batch })) expect(value >= 0).toBe(true);
    }),
  );
});
