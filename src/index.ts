/** spanplan learns which tools an agent runs at the same time, from the OpenTelemetry spans it emits already. */

export { FanoutSpanProcessor } from './fanout-span-processor.ts';
export { ToolParallelismLearner } from './learner/tool-parallelism-learner.ts';
export { Pipeline } from './pipeline.ts';
export { PlanReader } from './plan-reader.ts';
export { MemoryPlanStore } from './store/memory-plan-store.ts';
export { StoreError } from './store/plan-store.ts';

// Types

export type { Convention } from './conventions/convention.ts';
export type { FanoutSpanProcessorOptions } from './fanout-span-processor.ts';
export type { Learner, Lesson } from './learner/learner.ts';
export type { ToolParallelismLearnerOptions } from './learner/tool-parallelism-learner.ts';
export type { Cohort } from './model/cohort.ts';
export type { ExecutionPlan, MetadataTemplate, ParallelGroup, ParallelHint } from './model/execution-plan.ts';
export type { CallKind, CallRecord, RunRecord } from './model/run-record.ts';
export type { Span, SpanConsumer, SpanKind, SpanResource } from './model/span.ts';
export type { Time } from './model/time.ts';
export type { SpanRole, Verdict } from './model/verdict.ts';
export type { PipelineOptions } from './pipeline-options.ts';
export type { PlanReaderOptions, PlanReaderStatus } from './plan-reader.ts';
export type { SpanAccount } from './span-ledger.ts';
export type { StoreLimits } from './store/limits.ts';
export type { MemoryPlanStoreOptions } from './store/memory-plan-store.ts';
export type {
  ApplyOutcome,
  GroupSupport,
  PlanChange,
  PlanStore,
  RunChange,
  StoredPlan,
  StoreErrorCode,
} from './store/plan-store.ts';
export type { StoreOptions } from './store/store-of.ts';
export type { ReleaseReason } from './trace/trace-buffer.ts';
