import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ContentType } from './content-type.ts';
import { encodeStatus } from './otlp-status.ts';
import type { Refusal } from './refusal.ts';

/** How long a sender may take to read the answer and hang up. */
const LINGER_MILLIS = 2_000;

const answered = new WeakSet<Duplex>();

/**
 * Answers what is no HTTP request at all, so that there is no response to use, as it is written. The rest of what comes is read and
 * thrown away for a moment: to close at once would take the answer with it.
 */
export function answerRaw(socket: Duplex, refusal: Refusal, { type, encoding = 'json' }: ContentType): void {
  // The parser may fail again on what follows.
  if (answered.has(socket)) return;
  answered.add(socket);
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { httpStatus, headers } = refusal;
  const body = Buffer.from(encodeStatus(refusal, encoding));
  const fields: Record<string, string | number> = {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ''}\r\n${lines.join('')}\r\n`;
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  const timer = setTimeout(() => socket.destroy(), LINGER_MILLIS);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
