import type { FanoutSpanProcessorOptions } from '../fanout-span-processor.ts';

/** What the environment says to `spanplan/register`. */
export interface RegisterSettings {
  readonly processor: FanoutSpanProcessorOptions;
  /** Whether to build a tracer provider where the application has none. */
  readonly buildsProvider: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `SPANPLAN_*`; an empty variable counts as absent. Whether a number is in range, and a URL that of a store, is for
 * the processor to say.
 * @throws RangeError that names the variable.
 */
export function registerSettings(env: Environment): RegisterSettings {
  const agent = env.SPANPLAN_AGENT;
  const keyPrefix = env.SPANPLAN_KEY_PREFIX;
  const cohorts = oneOf(env, 'SPANPLAN_COHORTS', ['every', 'maximal']);
  const run = oneOf(env, 'SPANPLAN_RUN', ['agent', 'trace']);
  const maxGroups = numberOf(env, 'SPANPLAN_MAX_GROUPS');
  const minOverlapMillis = numberOf(env, 'SPANPLAN_MIN_OVERLAP');
  return {
    processor: {
      store: env.SPANPLAN_STORE || DEFAULT_STORE,
      ...(keyPrefix && { keyPrefix }),
      ...(agent && { agentId: agent }),
      ...(cohorts && { cohorts }),
      ...(run && { run }),
      ...(maxGroups !== undefined && { maxGroups }),
      ...(minOverlapMillis !== undefined && { minOverlapMillis }),
    },
    buildsProvider: oneOf(env, 'SPANPLAN_REGISTER_PROVIDER', ['0', '1']) === '1',
  };
}

/** That of the commands, so that `spanplan plan` shows what was learned. */
const DEFAULT_STORE = 'lmdb:./.spanplan';

function oneOf<Word extends string>(
  env: Environment,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = env[name];
  if (!text) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new RangeError(`${name} must be ${words.join(' or ')}`);
  return word;
}

function numberOf(env: Environment, name: string): number | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be a number of 0 or more`);
  return value;
}
