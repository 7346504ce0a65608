import { Pipeline } from '../pipeline.ts';
import type { PipelineOptions } from '../pipeline-options.ts';
import { PlanReader } from '../plan-reader.ts';
import { openStore } from '../store/open-store.ts';
import type { PlanStore } from '../store/plan-store.ts';
import type { SidecarConfig } from './config/config-schema.ts';
import { tenantNames } from './tenant-names.ts';
import { tenantStore } from './tenant-store.ts';

/** One tenant's plans, and what learns them. Nothing of it is shared with another tenant but the process. */
export interface Tenant {
  readonly store: PlanStore;
  readonly reader: PlanReader;
  readonly pipeline: Pipeline;
}

/** All tenants that the configuration knows, by name; undefined is the name of whoever has none. */
export type Tenants = ReadonlyMap<string | undefined, Tenant>;

/** @throws RangeError or StoreError where a store cannot be used as it is configured. */
export async function openTenants(config: SidecarConfig): Promise<Tenants> {
  const { http, grpc } = config.receivers.otlp.protocols;
  const names = tenantNames([http, grpc, config.extensions.admin]);
  const options = pipelineOptions(config, names.size);
  const tenants = new Map<string | undefined, Tenant>();
  for (const name of names) {
    const { url, limits, ...keys } = tenantStore(config, name);
    const store = await openStore(url, { ...keys, ...limits });
    const reader = new PlanReader({ store, maxAgeMillis: MAX_AGE_MILLIS });
    tenants.set(name, {
      store,
      reader,
      pipeline: new Pipeline(store, { ...options, maxGroups: limits.maxGroups }),
    });
  }
  return tenants;
}

/** What another runtime wrote is seen after so long. */
const MAX_AGE_MILLIS = 2_000;

/** Bounds are split evenly, so that no tenant can take the room of another. */
function pipelineOptions(config: SidecarConfig, tenants: number): PipelineOptions {
  const { fanout } = config.processors;
  const { otlphttp, otlp } = config.exporters;
  const share = (bound: number) => Math.max(1, Math.floor(bound / tenants));
  return {
    cohorts: fanout.cohorts,
    run: fanout.run,
    agentId: fanout.agent,
    minOverlapMillis: fanout.min_overlap,
    crossResourceOverlapMillis: fanout.cross_resource_overlap,
    rootQuietMillis: fanout.root_quiet,
    remoteRootQuietMillis: fanout.remote_root_quiet,
    idleMillis: fanout.idle,
    lateMillis: fanout.late,
    maxTraceAgeMillis: fanout.max_trace_age,
    maxSpansPerTrace: fanout.max_spans_per_trace,
    maxBufferedTraces: share(fanout.max_buffered_traces),
    maxBufferedBytes: share(fanout.max_buffered_size),
    maxQueuedRuns: share(fanout.max_queued_runs),
    maxQueuedBytes: share(fanout.max_queued_size),
    // Spans that go on are taken even then (see LearningSink).
    holdsWhenFull: otlphttp === undefined && otlp === undefined,
  };
}
