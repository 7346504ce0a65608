import protobuf from 'protobufjs';
import { Request } from '../../bench/protobufjs-otlp.ts';

// Each level of a value takes two, and so many are left of those that spanplan reads.
protobuf.Reader.recursionLimit = 200;
protobuf.util.recursionLimit = 200;

/**
 * What protobufjs makes of a trace request: plain objects with the names of OTLP's JSON mapping. Ids and bytes are bytes,
 * numbers of 64 bits their digits.
 */
export function requestByProtobufjs(body: Buffer): unknown {
  return Request.toObject(Request.decode(body), { longs: String });
}
