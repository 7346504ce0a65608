import { type ListenAddress, parseListenAddress } from './config-address.ts';
import type { ConfigDraft, Contradiction } from './config-draft.ts';

/** Listeners that would want one and the same port: only the first would get it. */
export function* listenerContradictions(draft: ConfigDraft): Iterable<Contradiction> {
  const { http, grpc } = draft?.receivers?.otlp?.protocols ?? {};
  const protocols = ['receivers', 'otlp', 'protocols'];
  const taken: { readonly address: ListenAddress; readonly place: string }[] = [];
  for (const [path, listener] of [
    [[...protocols, 'http', 'endpoint'], http],
    [[...protocols, 'grpc', 'endpoint'], grpc],
    [['extensions', 'admin', 'endpoint'], draft?.extensions?.admin],
  ] as const) {
    const address = listener?.endpoint === undefined ? undefined : parseListenAddress(listener.endpoint);
    if (address === undefined || address.port === 0) continue;
    const other = taken.find((one) => one.address.port === address.port && meet(one.address, address));
    if (other === undefined) taken.push({ address, place: path.join('.') });
    else yield { path, message: `expected a port of its own; ${other.place} has it already` };
  }
}

/** Whether two hosts have an address in common, as far as that shows without looking names up. */
function meet(one: ListenAddress, other: ListenAddress): boolean {
  const [a, b] = [one.host.toLowerCase(), other.host.toLowerCase()];
  return a === b || holds(a, b) || holds(b, a);
}

function holds(host: string, other: string): boolean {
  if (host === '::') return true;
  if (host === '0.0.0.0') return !other.includes(':');
  return host === 'localhost' && (other === '127.0.0.1' || other === '::1');
}
