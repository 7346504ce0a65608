import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_FILE_LIMITS, type FileLimits, type InputFile } from '../../src/source/files/input-file.ts';
import { readSpanFile, type SpanFileItem } from '../../src/source/files/span-files.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { attribute, everything, requestOf, spanJson } from './otlp-request.ts';

/** A request whose only span is called `name`. */
function named(name: string): OtlpJson {
  const attributes = [attribute('gen_ai.tool.name', { stringValue: `${name} {"[\\` })];
  return requestOf([spanJson({ name, attributes })]);
}

const [a, b, c] = [named('a'), named('b'), named('c')];
const line = (request: OtlpJson) => JSON.stringify(request);

async function itemsOf(input: InputFile, limits: Partial<FileLimits> = {}): Promise<SpanFileItem[]> {
  const items: SpanFileItem[] = [];
  for await (const item of readSpanFile(input, everything, { ...DEFAULT_FILE_LIMITS, ...limits }))
    items.push(item);
  return items;
}

/** What a stream of these bytes gives: span names and problems, in order. */
async function read(
  content: string | Uint8Array,
  limits: Partial<FileLimits> = {},
  chunkBytes = 7,
): Promise<unknown[]> {
  const items = await itemsOf(Readable.from(chunksOf(Buffer.from(content), chunkBytes)), limits);
  return items.flatMap((item): unknown[] =>
    'batch' in item ? item.batch.spans.map((span) => span.name) : [item.problem],
  );
}

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('readSpanFile', () => {
  describe('tells by the content what a file holds', () => {
    it.each<[string, string | Uint8Array, string[]]>([
      ['nothing', '', []],
      ['blank lines', '\n \r\n\n', []],
      ['one request', line(a), ['a']],
      ['one request, indented', JSON.stringify(a, null, 2), ['a']],
      ['one request, indented by nothing', JSON.stringify(a, null, 1).replace(/^ +/gm, ''), ['a']],
      [
        'one request that begins on a line with its first field',
        `{ "resourceSpans": [\n${line(a).slice(18)}`,
        ['a'],
      ],
      ['an array', JSON.stringify([a, b]), ['a', 'b']],
      ['an array, indented', JSON.stringify([a, b, c], null, '\t'), ['a', 'b', 'c']],
      ['an empty array', '[ ]', []],
      ['one request a line', `${line(a)}\n${line(b)}\n${line(c)}\n`, ['a', 'b', 'c']],
      ['one request a line, without a newline at the end', `${line(a)}\n${line(b)}`, ['a', 'b']],
      ['one request a line, with blank lines and CRLF', `\r\n${line(a)}\r\n\r\n${line(b)}\r\n`, ['a', 'b']],
      ['one array a line', `[${line(a)},${line(b)}]\n[${line(c)}]\n`, ['a', 'b', 'c']],
      [
        'indented requests after one another',
        `${JSON.stringify(a, null, 2)}\n${JSON.stringify(b, null, 2)}`,
        ['a', 'b'],
      ],
      ['a byte order mark before a request', `\ufeff${line(a)}`, ['a']],
      ['a byte order mark before an array', `\ufeff${JSON.stringify([a, b], null, 2)}`, ['a', 'b']],
      ['protobuf', encodeOtlp(a), ['a']],
      [
        'protobuf without a resource',
        encodeOtlp({ resourceSpans: [{ scopeSpans: [{ spans: [spanJson()] }] }] }),
        ['execute_tool search'],
      ],
    ])('%s', async (_, content, names) => {
      expect(await read(content)).toEqual(names);
      expect(await read(gzipSync(content))).toEqual(names);
      expect(await read(content, {}, 2 ** 20)).toEqual(names);
    });

    it.each(['{', '['])('also where protobuf begins with a newline and %s', async (bracket) => {
      // The second byte is the length of what holds the span, which grows with the span's name.
      const lengths = Array.from({ length: 80 }, (_, length) => length);
      const requests = lengths.map((length) =>
        encodeOtlp(requestOf([spanJson({ name: 'x'.repeat(length) })])),
      );
      const lookalike = requests.findIndex((bytes) => bytes[1] === bracket.charCodeAt(0));
      expect(String.fromCharCode(...(requests[lookalike]?.subarray(0, 2) ?? []))).toBe(`\n${bracket}`);
      expect(await read(requests[lookalike] ?? '')).toEqual(['x'.repeat(lookalike)]);
    });

    it('passes over the requests of other signals in the same file', async () => {
      expect(await read(`{"resourceLogs":[]}\n${line(a)}\n{"resourceMetrics":[{"x":1}]}\n{}`)).toEqual(['a']);
    });

    it('keeps bare nanoseconds exact', async () => {
      const bare = line(a).replace(/"startTimeUnixNano":"(\d+)"/, '"startTimeUnixNano":$1');
      const [item] = await itemsOf(Readable.from([Buffer.from(bare)]));
      expect(item && 'batch' in item && item.batch.spans[0]?.start).toEqual([1795354563, 298730797]);
    });
  });

  describe('names what is broken, and reads the rest', () => {
    it('in a file of one request a line', async () => {
      const lines = [
        line(a),
        '{"secret',
        '',
        'secret',
        '{"secret":1}',
        '7',
        line(b),
        '{"resourceSpans":"secret"}',
      ];
      expect(await read(lines.join('\n'))).toEqual([
        'a',
        { file: '-', line: 2, byte: line(a).length + 9, reason: 'expected the end of a string' },
        { file: '-', line: 4, byte: line(a).length + 11, reason: 'expected a value' },
        { file: '-', line: 5, reason: 'expected an OTLP request with the field resourceSpans' },
        { file: '-', line: 6, reason: 'expected the request to be an object' },
        'b',
        { file: '-', line: 8, reason: 'expected resourceSpans to be a list' },
      ]);
    });

    it.each([
      ['cut short', `${line(a).slice(0, -4)}`],
      ['no JSON', 'secret'],
      ['cut inside a list', '{"resourceSpans":['],
    ])('where the first line is the broken one: %s', async (_, first) => {
      expect(await read(`${first}\n${line(b)}\n${line(c)}\n`)).toEqual([
        expect.objectContaining({ file: '-', line: 1 }),
        'b',
        'c',
      ]);
    });

    it('where the last line was cut short', async () => {
      const text = `${line(a)}\n${line(b).slice(0, -1)}`;
      expect(await read(text)).toEqual([
        'a',
        { file: '-', line: 2, byte: text.length, reason: 'expected "," or "}"' },
      ]);
    });

    it('in an array', async () => {
      const text = `[${line(a)}, {"secret" 1}, {"resourceSpans":{}},${line(b)}, [7]]`;
      expect(await read(text)).toEqual([
        'a',
        { file: '-', byte: text.indexOf('1}'), reason: 'expected ":"' },
        {
          file: '-',
          byte: text.indexOf('{"resourceSpans":{}'),
          reason: 'expected resourceSpans to be a list',
        },
        'b',
        { file: '-', byte: text.length - 4, reason: 'item 1: expected the request to be an object' },
      ]);
    });

    it.each([
      ['that ends too early', `[${line(a)},`, 'expected "]"', 0],
      ['that ends inside a request', `[${line(a)},{"x":`, 'expected a value', 0],
      ['with something else in it', `[${line(a)},7,${line(b)}]`, 'expected an object', -line(b).length - 3],
      ['without a comma', `[${line(a)}${line(b)}]`, 'expected "," or "]"', -line(b).length - 1],
      ['with something after it', `[${line(a)}]secret`, 'expected an object', -6],
    ])('in an array %s', async (_, text, reason, fromEnd) => {
      expect(await read(text)).toEqual(['a', { file: '-', byte: text.length + fromEnd, reason }]);
    });

    it('in an indented request', async () => {
      const text = JSON.stringify(a, null, 2).slice(0, -1);
      expect(await read(text)).toEqual([{ file: '-', byte: text.length, reason: 'expected "," or "}"' }]);
      expect(await read('{\n  "secret": 1\n}')).toEqual([
        { file: '-', byte: 0, reason: 'expected an OTLP request with the field resourceSpans' },
      ]);
    });

    it('in protobuf', async () => {
      const bytes = encodeOtlp(a);
      expect(await read(bytes.subarray(0, -1))).toEqual([
        { file: '-', byte: 1, reason: 'a field is longer than the message that holds it' },
      ]);
      const image = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
      expect(await read(image)).toEqual([expect.objectContaining({ byte: expect.any(Number) })]);
    });

    it('in gzip, after what could be unpacked', async () => {
      const noise = Array.from({ length: 30_000 }, (_, i) => named(`${i * 7919}`))
        .map(line)
        .join('\n');
      const packed = gzipSync(`${line(a)}\n${noise}`);
      const items = await read(packed.subarray(0, -100), {}, 100_000);
      expect(items.slice(0, 3)).toEqual(['a', '0', '7919']);
      expect(items.at(-1)).toEqual({ file: '-', reason: 'the gzip data ends too early' });
      packed.fill(0xff, 10, 20);
      expect(await read(packed)).toEqual([{ file: '-', reason: 'expected valid gzip data' }]);
    });

    it('in zstd, which Node 20 cannot unpack', async () => {
      const zstd = Buffer.from('28b52ffd0458', 'hex');
      expect(await read(zstd)).toEqual([
        expect.objectContaining({ reason: expect.stringContaining('unpacked first') }),
      ]);
    });

    it('in a stream that fails', async () => {
      async function* failing() {
        yield Buffer.from(`${line(a)}\n`);
        throw Object.assign(new Error('secret'), { code: 'EIO' });
      }
      const items = await itemsOf(failing());
      expect(items).toEqual([
        { batch: expect.objectContaining({ rejected: 0 }) },
        { problem: { file: '-', reason: 'the file cannot be read (EIO)' } },
      ]);
    });

    it('and counts the spans that are rejected', async () => {
      const [item] = await itemsOf(
        Readable.from([Buffer.from(line(requestOf([spanJson({ spanId: '' }), spanJson()])))]),
      );
      expect(item).toMatchObject({ batch: { rejected: 1, message: expect.stringContaining('span id') } });
    });
  });

  describe('is bounded', () => {
    it('in the size of one request', async () => {
      const large = line(named('x'.repeat(2_000)));
      const limits = { maxDocumentBytes: 1_000 };
      const reason = 'expected at most 1000 bytes in one document';
      expect(await read(`${line(a)}\n${large}\n${line(b)}`, limits)).toEqual([
        'a',
        { file: '-', line: 2, byte: line(a).length + 1, reason },
        'b',
      ]);
      expect(await read(`[${line(a)},${large},${line(b)}]`, limits)).toEqual([
        'a',
        { file: '-', byte: line(a).length + 2, reason },
        'b',
      ]);
      expect(await read(encodeOtlp(named('x'.repeat(2_000))), limits)).toEqual([
        { file: '-', byte: 1_000, reason: 'expected at most 1000 bytes in one request' },
      ]);
    });

    it('in what it unpacks', async () => {
      const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
      const reason = 'expected at most 1000000 bytes in a file';
      expect(await read(bomb, { maxFileBytes: 1_000_000 })).toEqual([{ file: '-', byte: 1_000_000, reason }]);
    });

    it('in the problems it names', async () => {
      const items = await read(`${'secret\n'.repeat(1_000)}${line(a)}`, { maxProblems: 3 });
      expect(items).toEqual([
        expect.objectContaining({ line: 1 }),
        expect.objectContaining({ line: 2 }),
        expect.objectContaining({ line: 3 }),
        'a',
        { file: '-', reason: '997 more problems of this kind' },
      ]);
    });

    it('in memory: a list is read item by item, while it arrives', async () => {
      let sent = 0;
      async function* endless() {
        yield Buffer.from('[');
        for (;;) {
          sent++;
          yield Buffer.from(`${line(a)},`);
        }
      }
      let batches = 0;
      for await (const item of readSpanFile(endless(), everything)) {
        expect(item).toHaveProperty('batch');
        batches++;
        if (batches === 100) break;
      }
      expect(sent).toBeLessThan(110);
    });
  });

  it('splits alike however the bytes arrive', async () => {
    const contents = [
      `${line(a)}\n{"x\n${line(b)}`,
      `\ufeff${JSON.stringify([a, named('ü"\\'), 7], null, 1)}`,
      `${JSON.stringify(a, null, 2)} ${JSON.stringify(b, null, 2)}`,
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...contents),
        fc.integer({ min: 1, max: 2_000 }),
        async (content, size) => {
          expect(await read(content, {}, size)).toEqual(await read(content, {}, 2 ** 20));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never throws, whatever the bytes', async () => {
    const near = fc
      .tuple(
        fc.constantFrom(line(a), JSON.stringify([a, b], null, 1), `${line(a)}\n${line(b)}`),
        fc.nat(),
        fc.uint8Array({ maxLength: 4 }),
      )
      .map(([text, at, added]) => {
        const place = at % text.length;
        return Buffer.concat([Buffer.from(text.slice(0, place)), added, Buffer.from(text.slice(place + 1))]);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), near), async (bytes) => {
        const items = await read(bytes, {}, 50);
        for (const item of items) expect(typeof item === 'string' || typeof item === 'object').toBe(true);
      }),
    );
  });

  describe('reads files by path', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'spanplan-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it.each<[string, Uint8Array | string]>([
      ['traces.json', line(a)],
      ['traces.json.gz', gzipSync(line(a))],
      ['traces.jsonl', `${line(a)}\n`],
      ['traces.pb', encodeOtlp(a)],
      ['traces.bin', encodeOtlp(a)],
      ['traces.binpb.gz', gzipSync(encodeOtlp(a))],
      ['gzip-by-no-name', gzipSync(encodeOtlp(a))],
      ['wrong-name.pb', JSON.stringify([a], null, 2)],
    ])('%s', async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, content);
      expect(await itemsOf(path)).toEqual([
        { batch: expect.objectContaining({ spans: [expect.objectContaining({ name: 'a' })] }) },
      ]);
    });

    it('and believes the name of one whose content is not plain', async () => {
      const path = join(folder, 'broken.pb');
      await writeFile(path, Buffer.from([0x0a, 0xff, 0xff]));
      const [item] = await itemsOf(path);
      expect(item).toMatchObject({ problem: { file: path, byte: expect.any(Number) } });
      expect(JSON.stringify(item)).not.toContain('line');
    });

    it('and names those that are not there or no files', async () => {
      const missing = join(folder, 'missing.json');
      expect(await itemsOf(missing)).toEqual([
        { problem: { file: missing, reason: 'there is no such file' } },
      ]);
      const directory = join(folder, 'directory');
      await mkdir(directory);
      expect(await itemsOf(directory)).toEqual([
        { problem: { file: directory, reason: 'this is a directory, expected a file' } },
      ]);
    });
  });
});
