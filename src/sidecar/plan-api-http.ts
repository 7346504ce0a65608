/** What every answer of the admin port has to do with HTTP: what is asked for, by which method, and how it goes out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Answer, Problem } from './plan-api-answer.ts';

/** Never by `new URL`: it throws on what anyone may send, and takes dots in names for directions. */
export function targetOf({ url = '' }: IncomingMessage): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const [path = '', query = ''] = target.split('?', 2);
  return { path: path || '/', query: new URLSearchParams(query) };
}

export function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(400, "Expected the agent's name to be percent-encoded.");
  }
}

export function assertMethod({ method }: IncomingMessage, expected: 'GET' | 'POST'): void {
  if (method === expected || (method === 'HEAD' && expected === 'GET')) return;
  const allow = expected === 'GET' ? 'GET, HEAD' : expected;
  throw new Problem(405, `Expected the method ${expected}.`, {}, { allow });
}

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, headers, body } = answer;
  const bytes = Buffer.from(body);
  // What was not read of a body would be taken for the next request.
  const closes = !request.complete && request.method !== 'GET' && request.method !== 'HEAD';
  response.writeHead(status, {
    ...headers,
    'x-content-type-options': 'nosniff',
    ...(status !== 304 && { 'content-length': bytes.length }),
    ...(closes && { connection: 'close' }),
  });
  response.end(bytes);
  request.resume();
}

/** Answers what is no HTTP request at all. */
export function refuseRaw(socket: Duplex): void {
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { headers, body } = new Problem(400, 'Expected an HTTP/1.1 request.').answer;
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 400 Bad Request\r\n${lines.join('')}\r\n${body}`);
  setTimeout(() => socket.destroy(), 1_000).unref();
}
