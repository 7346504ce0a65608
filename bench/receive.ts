import type { Benchmark, Sides, Turn } from './harness.ts';
import { largeLoads, type OtlpLoad, smallLoads } from './otlp-load.ts';
import { grpcSender, httpSender, type OtlpSender } from './otlp-senders.ts';
import { type ServerKind, ServerProcess, type ServerReport } from './server-process.ts';

/** A receiver runs for long: before the first turn that counts the engine has compiled all that is hot. */
const STEADY = { rounds: 21, warmUps: 30 };

/**
 * Requests through a running receiver, decoded and buffered. Each server is a process of its own, and cost is the CPU
 * time of that process; the sender is the same for all.
 */
export const receiveBenchmarks: readonly Benchmark[] = [
  {
    name: 'receive-http',
    rival: 'the same server with protobufjs',
    atLeast: 3,
    stretch: 4,
    ...STEADY,
    prepare: () => sides('spanplan-http', 'protobufjs-http', LARGE),
  },
  {
    name: 'receive-http-limit',
    rival: 'bare node:http that reads and drops the body',
    atLeast: 0.4,
    stretch: 0.55,
    ...STEADY,
    prepare: () => sides('spanplan-http', 'bare-http', LARGE),
  },
  {
    name: 'receive-grpc',
    rival: 'grpc-js with protobufjs decode',
    atLeast: 1.5,
    stretch: 2,
    ...STEADY,
    prepare: () => sides('spanplan-grpc', 'protobufjs-grpc', SMALL),
  },
];

interface Work {
  loads(): readonly OtlpLoad[];
  /** How often each is sent in a turn. */
  readonly passes: number;
  /** Requests under way at a time. */
  readonly atOnce: number;
  connect(port: number): OtlpSender;
}

const LARGE: Work = { loads: () => largeLoads({ batches: 8 }), passes: 10, atOnce: 4, connect: httpSender };
const SMALL: Work = {
  loads: () => smallLoads({ batches: 8 }),
  passes: 4,
  atOnce: 8,
  connect: (port) => grpcSender(port, 4),
};

async function sides(ours: ServerKind, rival: ServerKind, work: Work): Promise<Sides> {
  const loads = work.loads();
  const [our, their] = await Promise.all([Side.start(ours, work), Side.start(rival, work)]);
  // What became of the spans; a server that only reads bodies knows of none.
  const compares = our.looks && their.looks;
  const turnOf = async (side: Side): Promise<Turn> => {
    const { cost, requests, spans } = await side.send(loads);
    return { did: [requests, compares && spans], cost };
  };
  return {
    ours: () => turnOf(our),
    rival: () => turnOf(their),
    async close() {
      await Promise.all([our.stop(), their.stop()]);
    },
  };
}

/** A server and who sends to it. */
class Side {
  readonly looks: boolean;
  readonly #work: Work;
  readonly #server: ServerProcess;
  readonly #sender: OtlpSender;
  #generation = 0;

  private constructor(kind: ServerKind, work: Work, server: ServerProcess) {
    this.looks = !kind.startsWith('bare');
    this.#work = work;
    this.#server = server;
    this.#sender = work.connect(server.port);
  }

  static async start(kind: ServerKind, work: Work): Promise<Side> {
    return new Side(kind, work, await ServerProcess.start(kind));
  }

  async send(loads: readonly OtlpLoad[]): Promise<ServerReport> {
    await this.#server.begin();
    let sent = 0;
    for (let pass = 0; pass < this.#work.passes; pass++) sent += await this.#pass(loads);
    const report = await this.#server.end();
    const { received } = report.spans;
    if (this.looks && received !== sent) throw new Error(`${received} of ${sent} spans came`);
    return report;
  }

  /** Sends each request once, several at a time. */
  async #pass(loads: readonly OtlpLoad[]): Promise<number> {
    const generation = ++this.#generation;
    const left = loads.values();
    let spans = 0;
    const lane = async () => {
      for (const load of left) {
        await this.#sender.send(load, load.of(generation));
        spans += load.spans;
      }
    };
    await Promise.all(Array.from({ length: this.#work.atOnce }, lane));
    return spans;
  }

  async stop(): Promise<void> {
    this.#sender.close();
    await this.#server.stop();
  }
}
