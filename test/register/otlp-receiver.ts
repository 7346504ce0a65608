import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A span as an exporter sent it; ids, which differ from run to run, are replaced by what they stand for. */
interface ReceivedSpan {
  readonly name: string;
  readonly parent: string | undefined;
  readonly start: string;
  readonly end: string;
  readonly attributes: unknown;
}

/** An OTLP/HTTP receiver of JSON, which only takes down what comes. */
export interface OtlpReceiver {
  /** Points an application's exporter here. */
  readonly env: Readonly<Record<string, string>>;
  /** The spans so far, in the order of their coming. */
  spans(): readonly ReceivedSpan[];
  /** The values of this attribute of the resources so far. */
  resources(key: string): readonly string[];
}

/** Runs until the test is over. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const raw: RawSpan[] = [];
  const resourceAttributes: Attribute[] = [];
  const server = createServer(async (request, response) => {
    // NodeSDK sends metrics too: those of spanplan, where there are no others.
    const { resourceSpans = [] } = JSON.parse(await text(request)) as RawRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      resourceAttributes.push(...resource.attributes);
      for (const { spans } of scopeSpans) raw.push(...spans);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'an-agent-service',
    },
    spans() {
      const names = new Map(raw.map(({ spanId, name }) => [spanId, name]));
      return raw.map(({ name, parentSpanId, startTimeUnixNano, endTimeUnixNano, attributes }) => ({
        name,
        parent: parentSpanId && names.get(parentSpanId),
        start: startTimeUnixNano,
        end: endTimeUnixNano,
        attributes,
      }));
    },
    resources: (name) => [
      ...new Set(resourceAttributes.flatMap(({ key, value }) => (key === name ? [value.stringValue] : []))),
    ],
  };
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface RawSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: unknown;
}

interface RawRequest {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}
