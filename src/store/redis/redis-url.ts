/** Where a Redis URL points to, and how it may be printed. */
export interface RedisTarget {
  readonly host?: string;
  readonly port?: number;
  /** Of a unix socket. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls: boolean;
  /** Without user and password. */
  readonly label: string;
}

/**
 * Reads `redis://` and `rediss://` (TLS), with the database as path or `?db=`; and `unix:PATH` or
 * `redis+unix://PATH`, with `?db=`, `user=` and `pass=`.
 * @throws RangeError that says what is wrong and never holds the URL itself, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const socket = UNIX.exec(text)?.groups;
  if (socket !== undefined) return unixTarget(socket);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError('The Redis URL cannot be read; it looks like redis://host:6379/0');
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new RangeError(`${url.protocol} is no scheme of a Redis URL; use redis:, rediss: or unix:`);
  }
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
  const port = Number(url.port || 6379);
  const db = dbOf(url.searchParams, url.pathname.slice(1));
  const label = `${url.protocol}//${host.includes(':') ? `[${host}]` : host}:${port}/${db}`;
  return { host, port, ...credentialsOf(url), db, tls: url.protocol === 'rediss:', label };
}

/** `redis+unix://` may carry a user and a password before the path, as a Redis URL does before the host. */
const UNIX =
  /^(?:(?:redis\+)?unix:\/\/(?:(?<user>[^/:@]*)(?::(?<pass>[^/]*))?@)?|unix:)(?<path>[^?]*)(?:\?(?<query>.*))?$/s;

function unixTarget(parts: Readonly<Record<string, string | undefined>>): RedisTarget {
  const query = new URLSearchParams(parts.query);
  const path = decoded(parts.path ?? '');
  if (path === '' || path === '/') {
    throw new RangeError('The Redis URL names no socket; it looks like unix:/run/redis.sock');
  }
  const db = dbOf(query, '');
  const username = query.get('user') ?? decoded(parts.user ?? '');
  const password = query.get('pass') ?? decoded(parts.pass ?? '');
  return {
    path,
    ...(username && { username }),
    ...(password && { password }),
    db,
    tls: false,
    label: `unix:${path}${db === 0 ? '' : `?db=${db}`}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('A % in the Redis URL begins no escape; write it as %25');
  }
}

function dbOf(query: URLSearchParams, path: string): number {
  const text = query.get('db') ?? (path || '0');
  if (!/^\d{1,9}$/.test(text)) throw new RangeError('The database in the Redis URL is not a number');
  return Number(text);
}

function credentialsOf(url: URL): { readonly username?: string; readonly password?: string } {
  return {
    ...(url.username && { username: decoded(url.username) }),
    ...(url.password && { password: decoded(url.password) }),
  };
}
