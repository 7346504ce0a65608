import { expect, it } from 'vitest';
import { registerSettings } from '../../src/register/register-settings.ts';

it('without an environment there is a store, and no provider of our own', () => {
  const expected = { processor: { store: 'lmdb:./.spanplan' }, buildsProvider: false };
  expect(registerSettings({})).toEqual(expected);
  const empty = {
    SPANPLAN_STORE: '',
    SPANPLAN_RUN: '',
    SPANPLAN_MAX_GROUPS: ' ',
    SPANPLAN_REGISTER_PROVIDER: '',
  };
  expect(registerSettings(empty)).toEqual(expected);
});

it('each variable is the option of its name', () => {
  expect(
    registerSettings({
      SPANPLAN_STORE: 'redis://h',
      SPANPLAN_KEY_PREFIX: 'k:',
      SPANPLAN_AGENT: 'planner',
      SPANPLAN_COHORTS: 'maximal',
      SPANPLAN_RUN: 'trace',
      SPANPLAN_MAX_GROUPS: ' 7 ',
      SPANPLAN_MIN_OVERLAP: '0',
      SPANPLAN_REGISTER_PROVIDER: '1',
    }),
  ).toEqual({
    processor: {
      store: 'redis://h',
      keyPrefix: 'k:',
      agentId: 'planner',
      cohorts: 'maximal',
      run: 'trace',
      maxGroups: 7,
      minOverlapMillis: 0,
    },
    buildsProvider: true,
  });
  expect(registerSettings({ SPANPLAN_REGISTER_PROVIDER: '0' }).buildsProvider).toBe(false);
});

it.each([
  [{ SPANPLAN_RUN: 'agents' }, 'SPANPLAN_RUN must be agent or trace'],
  [{ SPANPLAN_REGISTER_PROVIDER: 'true' }, 'SPANPLAN_REGISTER_PROVIDER must be 0 or 1'],
  [{ SPANPLAN_MAX_GROUPS: '-1' }, 'SPANPLAN_MAX_GROUPS must be a number of 0 or more'],
  [{ SPANPLAN_MIN_OVERLAP: 'Infinity' }, 'SPANPLAN_MIN_OVERLAP must be a number of 0 or more'],
])('%j is a mistake', (env, told) => {
  expect(() => registerSettings(env as Record<string, string>)).toThrow(new RangeError(told));
});
