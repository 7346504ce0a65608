import type { OtlpRequest } from '../../source/receiver/otlp-sink.ts';
import { passedHeaders } from '../../source/receiver/passed-headers.ts';

/**
 * The fields that go on with a request: all that came with it, but those of a hop, those that belong to the other
 * protocol where it changes on the way, and those that are configured, which come instead.
 */
export function forwardHeaders(
  request: OtlpRequest,
  configured: Readonly<Record<string, string>>,
  to: OtlpRequest['transport'],
): Record<string, string | string[]> {
  const fields = Object.create(null) as Record<string, string | string[]>;
  // Receivers do this too, but what was stored may be older than the receiver's rules.
  for (const [name, value] of Object.entries(passedHeaders(request.headers, false))) {
    if (request.transport !== to && OF_TRANSPORT.has(name)) continue;
    fields[name] = typeof value === 'string' ? value : [...value];
  }
  return Object.assign(fields, configured);
}

/** They say how the body is written here and which answers can be read, in one protocol's words. */
const OF_TRANSPORT = new Set(['accept', 'accept-encoding', 'content-encoding', 'content-type']);
