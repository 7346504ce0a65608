/**
 * A digest in lower-case hex. Node's crypto takes as long to load as much of the rest, and a host that imports spanplan
 * may never need it: so it is loaded when the first digest is made.
 */
export function hexDigest(algorithm: 'sha1' | 'sha256', data: string | Uint8Array): string {
  crypto ??= process.getBuiltinModule('node:crypto');
  return crypto.hash(algorithm, data);
}

let crypto: typeof import('node:crypto') | undefined;
