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
 * Reads `redis://`, `rediss://` (TLS), `unix:PATH` and `redis+unix://[user:password@]/PATH`; the database stands in
 * the path (`redis://host/2`) or as `?db=2`.
 * @throws RangeError that says what is wrong and never holds the URL itself, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  if (text.startsWith('unix:') && !text.startsWith('unix://'))
    return unixTarget(new URL(`unix://${text.slice(5)}`));
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError('The Redis URL cannot be read; it looks like redis://host:6379/0');
  }
  if (url.protocol === 'unix:' || url.protocol === 'redis+unix:') return unixTarget(url);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new RangeError(`${url.protocol} is no scheme of a Redis URL; use redis:, rediss: or unix:`);
  }
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
  const port = Number(url.port || 6379);
  const db = dbOf(url, url.pathname.slice(1));
  const label = `${url.protocol}//${host.includes(':') ? `[${host}]` : host}:${port}/${db}`;
  return { host, port, ...credentialsOf(url), db, tls: url.protocol === 'rediss:', label };
}

function unixTarget(url: URL): RedisTarget {
  const path = decodeURIComponent(url.hostname + url.pathname);
  if (path === '' || path === '/')
    throw new RangeError('The Redis URL names no socket; it looks like unix:/run/redis.sock');
  const db = dbOf(url, '');
  return { path, ...credentialsOf(url), db, tls: false, label: `unix:${path}${db === 0 ? '' : `?db=${db}`}` };
}

function dbOf(url: URL, path: string): number {
  const text = url.searchParams.get('db') ?? (path || '0');
  if (!/^\d{1,9}$/.test(text)) throw new RangeError('The database in the Redis URL is not a number');
  return Number(text);
}

function credentialsOf(url: URL): { readonly username?: string; readonly password?: string } {
  return {
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
  };
}
