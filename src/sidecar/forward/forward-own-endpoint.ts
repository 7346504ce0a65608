import { hostname, networkInterfaces } from 'node:os';
import { isLoopback, type ListenAddress } from '../config/config-address.ts';

/**
 * Whether an endpoint is one of our own listeners, however it is spelled: forwarding there would go round for ever.
 * Names are not looked up, but for those of this machine.
 * @param endpoint a URL, or HOST:PORT
 * @param listeners as bound: with the port they have, not 0
 */
export function isOwnEndpoint(endpoint: URL | string, listeners: readonly ListenAddress[]): boolean {
  const url = new URL(String(endpoint).includes('://') ? endpoint : `http://${endpoint}`);
  // One dot at the end makes a name absolute, and no other.
  const host = bare(url.hostname).replace(/\.$/, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return listeners.some((listener) => listener.port === port && leadsTo(host, bare(listener.host)));
}

function leadsTo(host: string, listener: string): boolean {
  if (host === listener) return true;
  const isHere = isWildcard(host) || isLocal(host);
  if (isLocal(listener)) return isHere;
  if (isWildcard(listener)) return isHere || ownNames().has(host);
  return isWildcard(host) || (host === hostname().toLowerCase() && ownNames().has(listener));
}

/** In the one spelling that the URL parser gives an address; it reads `127.1` and `0x7f000001` too. */
function bare(host: string): string {
  const text = host.replace(/^\[|\]$/g, '');
  const url = text.includes(':') ? `http://[${text}]` : `http://${text}`;
  const normal = URL.canParse(url) ? new URL(url).hostname : text;
  const address = normal.replace(/^\[|\]$/g, '').toLowerCase();
  return fromMapped(address) ?? address;
}

/** `::ffff:7f00:1` is 127.0.0.1 in IPv6's clothes. */
function fromMapped(address: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

function isLocal(host: string): boolean {
  return isLoopback(host) || host.endsWith('.localhost');
}

/** To connect to it is to connect to this machine; to listen on it, to listen on all its addresses. */
function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownNames(): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map((own) => own.address));
  return new Set([hostname().toLowerCase(), ...addresses.map(bare)]);
}
