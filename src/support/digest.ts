/** A digest in lower-case hex. */
export function hexDigest(algorithm: 'sha1' | 'sha256', data: string | Uint8Array): string {
  return nodeCrypto().hash(algorithm, data);
}

/**
 * Node's crypto takes as long to load as much of the rest, and a host that imports spanplan may never need it: so it is
 * loaded when it is first asked for.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  crypto ??= process.getBuiltinModule('node:crypto');
  return crypto;
}

let crypto: typeof import('node:crypto') | undefined;
