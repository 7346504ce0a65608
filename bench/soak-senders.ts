import { setTimeout as sleep } from 'node:timers/promises';
import { largeLoads, type OtlpLoad, smallLoads } from './otlp-load.ts';
import { grpcSender, httpSender, type OtlpSender } from './otlp-senders.ts';
import type { Ports } from './probed-process.ts';

export interface Pace {
  readonly millis: number;
  /** Undefined: as fast as the servers take it. */
  readonly spansPerSecond: number | undefined;
}

/** Sends a mixed load to a sidecar, and each request to a server that is measured beside it too. */
export class SoakSenders {
  /** What the sidecar has taken. */
  spans = 0;
  /** Requests that one of the two did not take, by which and why. */
  readonly failures = new Map<string, number>();
  readonly #routes: readonly Route[];
  readonly #senders: readonly OtlpSender[];
  #generation = 0;

  constructor(sidecar: Ports, bare: Ports) {
    const http = [httpSender(sidecar.http), httpSender(bare.http)] as const;
    const grpc = [grpcSender(sidecar.grpc, CONNECTIONS), grpcSender(bare.grpc, CONNECTIONS)] as const;
    this.#senders = [...http, ...grpc];
    this.#routes = interleaved([
      toRoutes(http, largeLoads({ seed: 0, batches: 1 })),
      toRoutes(http, smallLoads({ seed: 1, batches: 1 })),
      toRoutes(http, smallLoads({ seed: 2, batches: 1, agentShare: 0.1 })),
      toRoutes(http, smallLoads({ seed: 3, batches: 1, as: 'json' })),
      toRoutes(http, smallLoads({ seed: 4, batches: 1, agentShare: 0.1, as: 'json' })),
      toRoutes(grpc, smallLoads({ seed: 5, batches: 1 })),
      toRoutes(grpc, smallLoads({ seed: 6, batches: 1, agentShare: 0.1 })),
    ]);
  }

  /** @returns how many spans a second were sent. */
  async run({ millis, spansPerSecond }: Pace): Promise<number> {
    const from = performance.now();
    const before = this.spans;
    let sent = 0;
    const underWay = new Set<Promise<void>>();
    const isOver = () => performance.now() - from >= millis;
    while (!isOver()) {
      const generation = ++this.#generation;
      // All of a generation: its requests hold parts of the same traces.
      for (const route of this.#routes) {
        const sending = this.#send(route, generation).finally(() => underWay.delete(sending));
        underWay.add(sending);
        sent += route.load.spans;
        const ahead =
          spansPerSecond === undefined ? 0 : (sent / spansPerSecond) * 1_000 - (performance.now() - from);
        if (ahead >= 1) await sleep(ahead);
        if (underWay.size >= AT_ONCE) await Promise.race(underWay);
      }
      // A body is made anew only when nobody reads it any more.
      await Promise.all(underWay);
    }
    return ((this.spans - before) / (performance.now() - from)) * 1_000;
  }

  async #send({ load, to, beside }: Route, generation: number): Promise<void> {
    const body = load.of(generation);
    const answers = await Promise.allSettled([to.send(load, body), beside.send(load, body)]);
    if (answers[0].status === 'fulfilled') this.spans += load.spans;
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'rejected')
        this.#failed(index === 0 ? 'the sidecar' : 'the bare server', answer.reason);
    }
  }

  #failed(which: string, reason: unknown): void {
    const failure = `${which}: ${reason instanceof Error ? reason.message : String(reason)}`;
    this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
  }

  close(): void {
    for (const sender of this.#senders) sender.close();
  }
}

/** A request and where it goes. */
interface Route {
  readonly load: OtlpLoad;
  readonly to: OtlpSender;
  readonly beside: OtlpSender;
}

const AT_ONCE = 8;
const CONNECTIONS = 4;

function toRoutes([to, beside]: readonly [OtlpSender, OtlpSender], loads: readonly OtlpLoad[]): Route[] {
  return loads.map((load) => ({ load, to, beside }));
}

/** One of each kind in turn, as long as there are any. */
function interleaved(kinds: readonly (readonly Route[])[]): Route[] {
  const most = Math.max(...kinds.map((routes) => routes.length));
  return Array.from({ length: most }, (_, index) => kinds.flatMap((routes) => routes[index] ?? [])).flat();
}
