import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback } from '../config/config-address.ts';

/**
 * Whether a Host header names this machine. A web page may make a name of its own lead here, and then read what the
 * browser believes to be its own; but that name is what the browser says it asks. A number cannot be made to lead
 * elsewhere.
 * @param names further ones that are allowed.
 */
export function namesThisMachine(header: string | undefined, names: readonly string[]): boolean {
  // Browsers always say whom they ask.
  if (header === undefined || header === '') return true;
  const host = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (isLoopback(host) || isIP(host) !== 0) return true;
  return [...names, hostname()].some((name) => name.toLowerCase() === host);
}
