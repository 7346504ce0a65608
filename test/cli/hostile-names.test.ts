import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth } from '../../src/cli/display-width.ts';
import { printable, printableJson } from '../../src/cli/printable.ts';
import { command } from './in-process.ts';
import { fanout } from './span-request.ts';
import { workFolder } from './work-folder.ts';

const EVIL = 'pwn\x1b[31m\x1b]0;title\x07\u009b2J\r\u202etxt\u2028';
const AGENT = `agent ${EVIL.trim()}`;
/** What a terminal would obey, line breaks apart. */
const RAW = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

describe('names that hold escape sequences', () => {
  it('reach no terminal raw, from any command', async () => {
    const folder = workFolder();
    const file = join(folder, 'evil.json');
    writeFileSync(file, JSON.stringify(fanout(AGENT, [EVIL, 'tool'])));
    const commands = [
      ['learn', '--explain', file, join(folder, `gone${EVIL}.json`)],
      ['learn', '--json', file],
      ['plan'],
      ['plan', AGENT, '--json'],
      ['plan', `not the ${AGENT}`],
      ['plan', `--${EVIL}`],
      ['agents'],
      ['agents', '--json'],
      ['runs', AGENT],
      ['runs', AGENT, '--json'],
      ['forget', AGENT],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await command(...args, '--store', `lmdb:${join(folder, 'store')}`);
      expect(stdout + stderr).toContain('pwn');
      expect(stdout + stderr).not.toMatch(RAW);
    }
  });

  it('are escaped in any text, and JSON keeps its meaning', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(text, (name) => {
        expect(printable(name)).not.toMatch(RAW);
        expect(printable(name)).not.toContain('\n');
        expect(printableJson({ [name]: [name] })).not.toMatch(RAW);
        expect(JSON.parse(printableJson([name]))).toEqual([name]);
      }),
    );
  });

  it('leave plain text, accents, scripts and emoji as they are', () => {
    const text = 'search café 検索 👩‍💻 می‌خواهم';
    expect(printable(text)).toBe(text);
  });
});

describe('names that are wide or long', () => {
  it.each([
    ['search', 6],
    ['検索', 4],
    ['cafe\u0301', 4],
    ['👩‍💻', 2],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['', 0],
  ])('%s takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('are cut where they do not fit, never within a character', () => {
    expect(cutToWidth('検索検索', 6)).toBe('検索…');
    expect(cutToWidth('検索', 4)).toBe('検索');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(displayWidth(cutToWidth(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
