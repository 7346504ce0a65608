/** Which store an option means, and how to name it without its password. */

export const DEFAULT_STORE_URL = 'lmdb:./.spanplan';

/** The URL as it may be shown: without user, password and query. */
export function shownUrl(url: string): string {
  const scheme = /^[a-z+]+:\/\//i.exec(url)?.[0];
  if (scheme === undefined) return url;
  // Up to the last @, since a password that is not encoded may hold one itself.
  const rest = url.slice(Math.max(scheme.length, url.lastIndexOf('@') + 1));
  return `${scheme}${rest.replace(/[?#].*$/s, '')}`;
}

/** The directory of an `lmdb:` URL; undefined for other stores. */
export function lmdbPath(url: string): string | undefined {
  return /^lmdb:/i.test(url) ? url.slice('lmdb:'.length) : undefined;
}
