import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What is used of a span in OTLP/JSON. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent, or empty, for a root. */
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** Stands for where the agent's spans went before there was a sidecar: takes OTLP/JSON, and remembers the newest trace. */
export class Backend {
  readonly #server: Server;
  #trace: readonly OtlpSpan[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#take(request).then(
        () => response.setHeader('content-type', 'application/json').end('{}'),
        () => response.writeHead(400).end(),
      );
    });
  }

  static async open(): Promise<Backend> {
    const backend = new Backend();
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All spans of the trace that came last. */
  get newestTrace(): readonly OtlpSpan[] {
    return this.#trace;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage): Promise<void> {
    const { resourceSpans } = (await json(request)) as ExportRequest;
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const traceId = spans.at(-1)?.traceId;
    if (traceId === undefined) return;
    this.#trace = [...this.#trace, ...spans].filter((span) => span.traceId === traceId);
  }
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}
