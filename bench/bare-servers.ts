import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

/** Servers that read bodies, drop them and say that all is well: no server on Node can do with less. */
export async function startBareHttp(answered: () => void): Promise<number> {
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.end();
      answered();
    });
  });
  return portOf(server);
}

export async function startBareGrpc(answered: () => void): Promise<number> {
  const server = http2.createServer({ settings: { initialWindowSize: 2 ** 20 } });
  server.on('session', (session) => session.setLocalWindowSize(2 ** 20));
  server.on('stream', (stream) => {
    stream.resume();
    stream.on('end', () => {
      stream.respond({ 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
      answered();
    });
  });
  return portOf(server);
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
