import { describe, expect, it } from 'vitest';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { CAPTURE_NAMES, requestsOf } from '../support/captures.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { everything } from './otlp-request.ts';

describe('the recordings of real frameworks', () => {
  it('are there', () => {
    expect(CAPTURE_NAMES.length).toBeGreaterThan(60);
  });

  it.each(CAPTURE_NAMES)('%s: every span is read, and alike from JSON and protobuf', (name) => {
    let spans = 0;
    for (const request of requestsOf(name)) {
      const text = JSON.stringify(request);
      const fromJson = decodeOtlpJson(text, everything);
      expect(fromJson.rejected).toBe(0);
      expect(decodeOtlpProtobuf(encodeOtlp(request), everything)).toEqual(fromJson);
      spans += fromJson.spans.length;
      expect(fromJson.spans).toHaveLength(text.match(/"startTimeUnixNano":/g)?.length ?? 0);
    }
    expect(spans).toBeGreaterThan(0);
  });
});
