import { parseStoreUrl } from '../store/store-url.ts';

/** Which store an option means, and how to name it without its password. */

export const DEFAULT_STORE_URL = 'lmdb:./.spanplan';

/** The URL as it may be shown: without user, password and query. */
export function shownUrl(url: string): string {
  return parseStoreUrl(url).label;
}

/** The directory of an `lmdb:` URL; undefined for other stores. */
export function lmdbPath(url: string): string | undefined {
  const place = parseStoreUrl(url);
  return place.kind === 'lmdb' ? place.path : undefined;
}
