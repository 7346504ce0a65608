import { createHash } from 'node:crypto';

/** Namespace of spanplan's run ids, itself made at random once. */
const NAMESPACE = Buffer.from('6f1d1c0a5b7e4d0e9a3f2c8b7d615e42', 'hex');

/**
 * The id of a run: a UUID (version 5, RFC 9562) of where it stands. The same trace gives the same ids in every
 * process, which is what makes learning it twice harmless.
 */
export function runIdOf(traceId: string, runSpanId: string, segment: number, qualifier = ''): string {
  const name = [traceId, runSpanId, ...(segment > 1 || qualifier !== '' ? [segment, qualifier] : [])].join(
    '/',
  );
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
