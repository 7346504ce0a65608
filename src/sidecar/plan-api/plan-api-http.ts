/** What every answer of the admin port has to do with HTTP: what is asked for, by which method, and how it goes out. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
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

/** @param allowed the methods that may be used there, as the header Allow has them. */
export function assertMethod({ method = '' }: IncomingMessage, allowed: 'GET, HEAD' | 'GET' | 'POST'): void {
  const methods = allowed.split(', ');
  if (methods.includes(method)) return;
  throw new Problem(405, `Expected the method ${methods[0]}.`, {}, { allow: allowed });
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

/** What is wrong with a request that Node itself cannot make one of, by the code of its error. */
export function malformedProblem(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'Expected shorter headers.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem(413, 'Expected shorter chunk extensions.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'Expected the whole request sooner.');
    default:
      return new Problem(400, 'Expected an HTTP/1.1 request.');
  }
}

/** Answers where there is no request to answer to. */
export function refuseRaw(socket: Duplex, problem: Problem): void {
  // The parser fails again on what follows, and to cut that off would take the answer with it.
  if (socket.writableEnded) return;
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problem.answer;
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  setTimeout(() => socket.destroy(), 1_000).unref();
}
