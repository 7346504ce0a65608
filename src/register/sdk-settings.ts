/** The classes of the SDK 3.x that a sampler is made of. */
export interface SdkSamplers {
  readonly AlwaysOnSampler: new () => object;
  readonly AlwaysOffSampler: new () => object;
  readonly TraceIdRatioBasedSampler: new (ratio: number) => object;
  readonly ParentBasedSampler: new (options: { readonly root: object }) => object;
}

interface SdkSettings {
  /** Options of the TracerProvider. */
  readonly provider: { readonly sampler?: object; readonly spanLimits: Readonly<Record<string, number>> };
  /** Options of the BatchSpanProcessor. */
  readonly batch: Readonly<Record<string, number>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What `OTEL_*` says of sampling, limits and batches: the SDK 3.x must be told, while 1.x and 2.x read it themselves. */
export function sdkSettings(sdk: SdkSamplers, env: Environment): SdkSettings {
  const sampler = samplerOf(sdk, env);
  return {
    provider: { ...(sampler && { sampler }), spanLimits: numbersOf(env, LIMITS) },
    batch: numbersOf(env, BATCH),
  };
}

/** None for a name that is not known: the SDK's own default then holds, as in the other lines. */
function samplerOf(sdk: SdkSamplers, env: Environment): object | undefined {
  const name = env.OTEL_TRACES_SAMPLER?.trim() ?? '';
  const root = rootSampler(sdk, name.replace(/^parentbased_/, ''), env);
  return root && name.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root;
}

function rootSampler(sdk: SdkSamplers, name: string, env: Environment): object | undefined {
  if (name === 'always_on') return new sdk.AlwaysOnSampler();
  if (name === 'always_off') return new sdk.AlwaysOffSampler();
  if (name !== 'traceidratio') return undefined;
  const ratio = numberOf(env.OTEL_TRACES_SAMPLER_ARG) ?? 1;
  return new sdk.TraceIdRatioBasedSampler(Math.min(ratio, 1));
}

const LIMITS = {
  attributeCountLimit: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
  attributeValueLengthLimit: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
  eventCountLimit: ['OTEL_SPAN_EVENT_COUNT_LIMIT'],
  linkCountLimit: ['OTEL_SPAN_LINK_COUNT_LIMIT'],
  attributePerEventCountLimit: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'],
  attributePerLinkCountLimit: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'],
};

const BATCH = {
  maxQueueSize: ['OTEL_BSP_MAX_QUEUE_SIZE'],
  scheduledDelayMillis: ['OTEL_BSP_SCHEDULE_DELAY'],
  exportTimeoutMillis: ['OTEL_BSP_EXPORT_TIMEOUT'],
  maxExportBatchSize: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
};

function numbersOf(env: Environment, variables: Readonly<Record<string, readonly string[]>>) {
  const numbers: Record<string, number> = {};
  for (const [option, names] of Object.entries(variables)) {
    const value = names.map((name) => numberOf(env[name])).find((number) => number !== undefined);
    if (value !== undefined) numbers[option] = value;
  }
  return numbers;
}

function numberOf(text: string | undefined): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN;
  return value >= 0 ? value : undefined;
}
