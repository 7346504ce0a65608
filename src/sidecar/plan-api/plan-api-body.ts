import type { IncomingMessage } from 'node:http';
import { Problem } from './plan-api-answer.ts';

/**
 * Reads a small JSON body.
 * @throws Problem where it is too large, of another type, or no JSON.
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Problem(415, 'Expected the content type application/json.');
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    throw new Problem(415, 'Expected a body that is not compressed.');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes)
      throw new Problem(413, `Expected at most ${maxBytes} bytes.`, {}, { connection: 'close' });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new Problem(400, 'Expected JSON in UTF-8.');
  }
}
