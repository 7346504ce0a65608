import { expect, it } from 'vitest';
import { joinProvider } from '../../src/register/join-provider.ts';

/** A processor that writes down what it is asked. */
function noting(name: string, asked: string[]) {
  return {
    onStart: () => void asked.push(`${name} start`),
    onEnd: () => void asked.push(`${name} end`),
    forceFlush: async () => void asked.push(`${name} flush`),
    shutdown: async () => void asked.push(`${name} shutdown`),
  };
}

it('beside an only processor of SDK 1.x both are asked everything, the first one first', async () => {
  const asked: string[] = [];
  const provider = { activeSpanProcessor: noting('there', asked), addSpanProcessor: () => {} };
  expect(joinProvider(provider, noting('ours', asked))).toBe(true);
  const { activeSpanProcessor } = provider;
  activeSpanProcessor.onStart();
  activeSpanProcessor.onEnd();
  await activeSpanProcessor.forceFlush();
  await activeSpanProcessor.shutdown();
  const steps = ['start', 'end', 'flush', 'shutdown'];
  expect(asked).toEqual(steps.flatMap((step) => [`there ${step}`, `ours ${step}`]));
});

it.each([
  ['nothing', {}],
  ['no list of processors', { _activeSpanProcessor: {} }],
  ['an only processor, and no way to add one', { activeSpanProcessor: {} }],
  ['what is no processor', { _activeSpanProcessor: 'none' }],
])('a provider that has %s is left as it is', (_, provider) => {
  const before = structuredClone(provider);
  expect(joinProvider(provider, noting('ours', []))).toBe(false);
  expect(provider).toEqual(before);
});
