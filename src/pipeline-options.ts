import type { RecogniserOptions } from './conventions/recognise.ts';
import type { ToolParallelismLearnerOptions } from './learner/tool-parallelism-learner.ts';
import type { Span } from './model/span.ts';
import type { WriteQueueOptions } from './store/write-queue-options.ts';
import { type Clock, systemClock } from './support/clock.ts';
import { type AssembleOptions, DEFAULT_ASSEMBLE_OPTIONS } from './trace/assemble-runs.ts';
import { resolveTraceBufferOptions, type TraceBufferOptions } from './trace/trace-buffer.ts';

/** Everything about learning that can be set; all of it has a default. */
export interface PipelineOptions
  extends Pick<RecogniserOptions, 'conventions' | 'toolName' | 'attributes'>,
    Partial<Omit<AssembleOptions, 'agentId'>>,
    Partial<Omit<TraceBufferOptions, 'mode'>>,
    ToolParallelismLearnerOptions,
    Pick<WriteQueueOptions<unknown>, 'maxQueuedRuns' | 'maxQueuedBytes'> {
  /** Names every agent so; or names the agent of a span, undefined where the usual identity shall stand. */
  readonly agentId?: string | ((span: Span) => string | undefined) | undefined;
  /**
   * For a source that takes no spans while the pipeline `isFull`: finished traces then wait, and push out no older ones.
   * Off by default, where what waits is bounded and the oldest go.
   */
  readonly holdsWhenFull?: boolean;
  /** What ticks; undefined for none, where traces are released only by bounds, flush and shutdown. */
  readonly clock?: Clock | undefined;
}

export interface ResolvedPipelineOptions {
  readonly buffer: TraceBufferOptions;
  readonly assemble: AssembleOptions;
  readonly clock: Clock;
  readonly ticks: boolean;
}

/**
 * Checks options and fills in defaults.
 * @throws RangeError for a number out of range or options that contradict each other.
 */
export function resolvePipelineOptions(
  options: PipelineOptions,
  mode: TraceBufferOptions['mode'],
): ResolvedPipelineOptions {
  const assemble = {
    run: options.run ?? DEFAULT_ASSEMBLE_OPTIONS.run,
    minOverlapMillis: options.minOverlapMillis ?? DEFAULT_ASSEMBLE_OPTIONS.minOverlapMillis,
    crossResourceOverlapMillis:
      options.crossResourceOverlapMillis ?? DEFAULT_ASSEMBLE_OPTIONS.crossResourceOverlapMillis,
    agentId: typeof options.agentId === 'string' ? options.agentId : undefined,
  };
  if (assemble.run !== 'agent' && assemble.run !== 'trace') {
    throw new RangeError(`run must be 'agent' or 'trace', not ${String(assemble.run)}`);
  }
  for (const name of ['minOverlapMillis', 'crossResourceOverlapMillis'] as const) {
    const value = assemble[name];
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`${name} must be a number of 0 or more, not ${String(value)}`);
    }
  }
  if (assemble.agentId !== undefined && assemble.agentId.trim() === '') {
    throw new RangeError('agentId must not be empty');
  }
  return {
    buffer: { ...resolveTraceBufferOptions(options), mode },
    assemble,
    clock: options.clock ?? systemClock,
    ticks: !('clock' in options) || options.clock !== undefined,
  };
}
