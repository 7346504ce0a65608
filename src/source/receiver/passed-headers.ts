/** Fields that concern one connection only (RFC 9110, 7.6.1), or are made anew by whoever sends the body on. */
const OWN_HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields of one gRPC call, or of a library that makes it. Others that begin alike, such as `grpc-metadata-…`, are data. */
const OF_CALL =
  /^grpc-(?:accept-encoding|encoding|internal-.*|message|message-type|previous-rpc-attempts|retry-pushback-ms|status|status-details-bin|timeout)$/;

type HeaderValues = string | readonly string[];

/**
 * The fields of a request that go on with it: all but those of this hop, those of the gRPC call that brought it, and
 * the credential where that was for us.
 */
export function passedHeaders(
  headers: Readonly<Record<string, HeaderValues | undefined>>,
  dropsCredential: boolean,
): Readonly<Record<string, HeaderValues>> {
  const { connection } = headers;
  const named = connection === undefined ? NONE : namedBy(connection);
  const passed = Object.create(null) as Record<string, HeaderValues>;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || OWN_HOP.has(name) || named.has(name)) continue;
    if (name.startsWith(':') || (name.startsWith('grpc-') && OF_CALL.test(name))) continue;
    if (dropsCredential && name === 'authorization') continue;
    passed[name] = Array.isArray(value) && value.length === 1 ? String(value[0]) : value;
  }
  return passed;
}

/** For sinks that do not look at them. */
export const NO_HEADERS: Readonly<Record<string, HeaderValues>> = Object.freeze({});

const NONE: ReadonlySet<string> = new Set();

/** `Connection` names further fields that are for this hop. */
function namedBy(connection: HeaderValues): ReadonlySet<string> {
  const names = new Set<string>();
  for (const list of typeof connection === 'string' ? [connection] : connection) {
    for (const name of list.split(',')) names.add(name.trim().toLowerCase());
  }
  return names;
}
