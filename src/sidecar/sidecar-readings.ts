import type { AnswerSummary } from '../source/receiver/receiver-options.ts';
import type { Forwarding } from './forward/forwarding.ts';
import type { LearningSink } from './learning-sink.ts';
import type { SidecarReadings } from './metrics.ts';
import type { PlanApi } from './plan-api/plan-api.ts';
import type { Readiness } from './plan-api/plan-api-schemas.ts';

/** How often requests were answered, by transport, signal and status. */
export class AnswerCounts {
  readonly #counts = new Map<string, { readonly answer: AnswerSummary; count: number }>();

  count(answer: AnswerSummary): void {
    const { transport, signal, status } = answer;
    const key = `${transport} ${signal} ${status}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { answer, count: 1 });
    else known.count++;
  }

  *readings() {
    for (const { answer, count } of this.#counts.values()) {
      const { transport, signal = 'none', status } = answer;
      yield [{ transport, signal, status: String(status) }, count] as const;
    }
  }
}

/** Where each metric of the sidecar is read from. */
export function readingsOf(parts: {
  readonly sink: LearningSink;
  readonly forwarding: Forwarding | undefined;
  readonly api: PlanApi;
  readonly answers: AnswerCounts;
  readonly maxInFlight: number;
  readonly readiness: () => Readiness;
  /** All that `readiness` may call degraded. */
  readonly watched: Readiness['degraded'];
}): SidecarReadings {
  const { sink, forwarding, api, answers, maxInFlight, readiness, watched } = parts;
  return {
    answers: () => answers.readings(),
    rejectedSpans: () => sink.rejected,
    unused: () => [...sink.unused].map(([signal, count]) => [{ signal }, count] as const),
    forwarded: () => forwarding?.stats.sent ?? 0,
    forwardRefused: () =>
      Object.entries(forwarding?.stats.refusals ?? {}).map(([reason, count]) => [{ reason }, count] as const),
    forwardDropped: () =>
      Object.entries(forwarding?.stats.dropped ?? {}).map(([reason, count]) => [{ reason }, count] as const),
    forwardRetries: () => forwarding?.stats.retries ?? 0,
    inFlight: () => sink.bytes,
    inFlightLimit: () => maxInFlight,
    forwardQueue: () => forwarding?.stats.queuedBytes ?? 0,
    forwardQueueRequests: () => forwarding?.stats.queuedRequests ?? 0,
    listeners: () => api.listeners,
    ready: () => (readiness().status === 'ready' ? 1 : 0),
    degraded: () => {
      const { degraded } = readiness();
      // The last value of a series stays until there is another: what is well again has to say so.
      return watched.map((what) => [{ what }, degraded.includes(what) ? 1 : 0] as const);
    },
  };
}
