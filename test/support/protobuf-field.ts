import { PbfWriter } from 'pbf';

/** A message of the parts `inner`, as the field `number` of another. */
export function field(number: number, ...inner: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeTag(number, 2);
  pbf.writeBytes(Buffer.concat(inner.map((bytes) => Uint8Array.from(bytes))));
  return pbf.finish().slice();
}
