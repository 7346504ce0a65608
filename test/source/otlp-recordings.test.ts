import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { everything } from './otlp-request.ts';

const CAPTURES = new URL('../fixtures/captures/', import.meta.url);
const names = readdirSync(CAPTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('the recordings of real frameworks', () => {
  it('are there', () => {
    expect(names.length).toBeGreaterThan(60);
  });

  it.each(names)('%s: every span is read, and alike from JSON and protobuf', (name) => {
    const requests = JSON.parse(readFileSync(new URL(`${name}/otlp.json`, CAPTURES), 'utf8')) as OtlpJson[];
    let spans = 0;
    for (const request of requests) {
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
