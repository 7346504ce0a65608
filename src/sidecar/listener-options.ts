/** What the configuration says of a listener, in the words of those who listen. */
import type { ReceiverTls } from '../source/receiver/certificate-files.ts';
import type { ReceiverToken } from '../source/receiver/gate.ts';
import { isLoopback, type ListenAddress, parseListenAddress } from './config/config-address.ts';
import type { ListenerConfig, SidecarConfig } from './config/config-schema.ts';

export function addressOf({ endpoint }: Pick<ListenerConfig, 'endpoint'>): ListenAddress {
  const address = parseListenAddress(endpoint);
  if (address === undefined) throw new TypeError('a checked configuration has addresses');
  return address;
}

/** @param usedBy the listener, in what is told of its certificate. */
export function tlsOf({ tls }: Pick<ListenerConfig, 'tls'>, usedBy: string): ReceiverTls | undefined {
  return (
    tls && {
      certFile: tls.cert_file,
      keyFile: tls.key_file,
      usedBy,
      ...(tls.client_ca_file !== undefined && { clientCaFile: tls.client_ca_file }),
    }
  );
}

export function tokensOf({ auth }: Pick<ListenerConfig, 'auth'>): readonly ReceiverToken[] {
  return (auth?.tokens ?? []).map(({ token, tenant }) => ({
    token,
    ...(tenant !== undefined && { tenant }),
  }));
}

/** Where the admin port has no tokens of its own, it takes those of the receivers: who may write plans may read them. */
export function adminTokens({ receivers, extensions: { admin } }: SidecarConfig): readonly ReceiverToken[] {
  if (admin.auth !== undefined) return tokensOf(admin);
  const { http, grpc } = receivers.otlp.protocols;
  return [http, grpc].flatMap((listener) => (listener === undefined ? [] : tokensOf(listener)));
}

/** The names of listeners that others than this machine can reach, and that lack TLS, a credential, or both. */
export function openListeners(config: SidecarConfig): readonly string[] {
  const listeners = { ...config.receivers.otlp.protocols, admin: config.extensions.admin };
  return Object.entries(listeners).flatMap(([name, listener]) => {
    if (listener === undefined || isLoopback(addressOf(listener).host)) return [];
    const tokens = name === 'admin' ? adminTokens(config) : tokensOf(listener);
    const isKnown = tokens.length > 0 || listener.tls?.client_ca_file !== undefined;
    return listener.tls !== undefined && isKnown ? [] : [name];
  });
}
