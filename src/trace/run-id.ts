import { hexDigest } from '../support/digest.ts';

/** Namespace of spanplan's run ids, itself made at random once. */
const NAMESPACE = Buffer.from('6f1d1c0a5b7e4d0e9a3f2c8b7d615e42', 'hex');

/**
 * The id of a run: a UUID (version 5, RFC 9562) of where it stands. The same trace gives the same ids in every
 * process, which is what makes learning it twice harmless.
 */
export function runIdOf(traceId: string, runSpanId: string, segment: number, qualifier = ''): string {
  const place = `${traceId}/${runSpanId}`;
  const name = segment > 1 || qualifier !== '' ? `${place}/${segment}/${qualifier}` : place;
  const hex = hexDigest('sha1', inNamespace(name));
  const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16) & 3] ?? '';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The digit whose first two bits are 10. */
const VARIANTS = ['8', '9', 'a', 'b'];

/** The name's bytes behind those of the namespace; good until the next call. */
function inNamespace(name: string): Uint8Array {
  if (name.length > MAX_USUAL_LENGTH) return Buffer.concat([NAMESPACE, Buffer.from(name)]);
  const length = NAMESPACE.length + USUAL.write(name, NAMESPACE.length);
  // Nearly all names are as long as the last one.
  if (length !== usual.length) usual = USUAL.subarray(0, length);
  return usual;
}

/** In UTF-16 units, of which each takes three bytes at most. */
const MAX_USUAL_LENGTH = 128;
const USUAL = Buffer.concat([NAMESPACE, Buffer.alloc(3 * MAX_USUAL_LENGTH)]);
let usual = USUAL;
