import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { OtlpRequest } from '../../src/source/receiver/otlp-sink.ts';

/** What an upstream received. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly at: number;
}

export interface HttpUpstreamServer {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** Connections that were made. */
  connections: number;
  close(): Promise<void>;
}

type Answer = (request: Received, response: ServerResponse, count: number) => void;

/** A real HTTP server; by default it answers each request with success, as its content type demands. */
export async function startHttpUpstream(answer: Answer = success, port = 0): Promise<HttpUpstreamServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const got = { path: request.url ?? '', headers: request.headers, body, at: performance.now() };
      received.push(got);
      answer(got, response, received.length);
    });
  });
  const upstream = { url: '', port: 0, received, connections: 0, close: () => close() };
  server.on('connection', () => upstream.connections++);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  upstream.port = (server.address() as AddressInfo).port;
  upstream.url = `http://127.0.0.1:${upstream.port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return upstream;
}

export function success({ headers }: Received, response: ServerResponse): void {
  const type = headers['content-type'] ?? '';
  response.writeHead(200, { 'content-type': type });
  response.end(type === 'application/json' ? '{}' : undefined);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // the sender went away
  }
  return Buffer.concat(chunks);
}

interface ReceivedCall {
  readonly method: string;
  readonly message: Buffer;
  readonly metadata: Metadata;
}

export interface GrpcUpstreamServer {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedCall[];
  close(): void;
}

type Handler = (call: ReceivedCall, answer: sendUnaryData<Buffer>, count: number) => void;

/** A real gRPC server with OTLP's three services, which keeps messages as the bytes they are. */
export async function startGrpcUpstream(
  handler: Handler = (_, answer) => answer(null, Buffer.alloc(0)),
  port = 0,
  credentials = ServerCredentials.createInsecure(),
): Promise<GrpcUpstreamServer> {
  const received: ReceivedCall[] = [];
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  for (const method of METHODS) {
    const asIs = (bytes: Buffer) => bytes;
    const service: ServiceDefinition = {
      export: {
        path: method,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    };
    server.addService(service, {
      export: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        const got = { method, message: call.request, metadata: call.metadata };
        received.push(got);
        handler(got, answer, received.length);
      },
    });
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { url: `http://127.0.0.1:${bound}`, port: bound, received, close: () => server.forceShutdown() };
}

const METHODS = ['trace.v1.TraceService', 'metrics.v1.MetricsService', 'logs.v1.LogsService'].map(
  (service) => `/opentelemetry.proto.collector.${service}/Export`,
);

/** A request as a receiver hands it on: protobuf over HTTP, unless told otherwise. */
export function otlpRequest(changes: Partial<OtlpRequest> = {}): OtlpRequest {
  return {
    signal: 'traces',
    transport: 'http',
    contentType: 'application/x-protobuf',
    contentEncoding: undefined,
    headers: {},
    body: Buffer.from([0x0a, 0x00]),
    tenant: undefined,
    ...changes,
  };
}

/** Waits until `check` holds. */
export async function until(check: () => boolean, timeoutMillis = 8_000): Promise<void> {
  const end = performance.now() + timeoutMillis;
  while (!check()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMillis} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
