import { Agent, request as startRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { OtlpLoad } from './otlp-load.ts';

/** What sends export requests and waits for their answers. */
export interface OtlpSender {
  /** @throws Error where the request is not taken. */
  send(load: Pick<OtlpLoad, 'contentType'>, body: Buffer): Promise<void>;
  close(): void;
}

/** Over HTTP, on connections that stay. */
export function httpSender(port: number): OtlpSender {
  const agent = new Agent({ keepAlive: true });
  return {
    send: ({ contentType }, body) =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': contentType, 'content-length': body.length };
        const options = { agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/traces', headers };
        const request = startRequest(options, (response) => {
          response.resume();
          response.on('end', () => {
            if (response.statusCode === 200) resolve();
            else reject(new Error(`answered with status ${response.statusCode}`));
          });
        });
        request.on('error', reject);
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Over gRPC, on so many connections, in turns. */
export function grpcSender(port: number, connections: number): OtlpSender {
  const sessions = Array.from({ length: connections }, () => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    return session;
  });
  let next = 0;
  return {
    async send(_, body) {
      const session = sessions[next++ % sessions.length];
      if (session !== undefined) await call(session, body);
    },
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

function call(session: ClientHttp2Session, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(CALL);
    let status: unknown;
    stream.on('response', (headers) => (status = headers['grpc-status']));
    stream.on('trailers', (headers) => (status = headers['grpc-status']));
    stream.on('error', reject);
    stream.on('close', () => {
      if (Number(status) === 0) resolve();
      else reject(new Error(`answered with code ${status}`));
    });
    stream.resume();
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([prefix, body]));
  });
}

const CALL = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
};
