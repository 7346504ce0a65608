import { PassThrough } from 'node:stream';
import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from 'vitest';
import { createLog, logDiagnostics } from '../../src/cli/log.ts';
import { Output } from '../../src/cli/output.ts';

/** A log and what it has written so far. */
function written(
  level: 'debug' | 'info' | 'warn',
  encoding: 'json' | 'console',
  env: Record<string, string> = {},
) {
  const stream = new PassThrough();
  const log = createLog(level, encoding, new Output(stream, env));
  return { log, text: () => String(stream.read() ?? '') };
}

describe('log lines', () => {
  test('are JSON objects, each with its level by name and its time', () => {
    const { log, text } = written('info', 'json');
    log.info({ http: '127.0.0.1:4318' }, 'ready');
    log.debug('unheard');
    const lines = text().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), http: '127.0.0.1:4318', msg: 'ready' },
    ]);
  });

  test('are for people on a terminal, and cannot play tricks on it', () => {
    const { log, text } = written('info', 'console');
    log.warn({ left: 3, name: 'a\x1b[2Jb' }, 'not\u202edelivered');
    expect(text()).toMatch(
      /^\d\d:\d\d:\d\d warn {3}not\\u\{202e\}delivered {2}left=3 {2}name=a\\x1b\[2Jb\n$/,
    );
  });

  test('are coloured where that is wanted', () => {
    const { log, text } = written('info', 'console', { FORCE_COLOR: '1' });
    log.error('lost');
    expect(text()).toContain('\x1b[31merror\x1b[39m');
  });
});

describe('what the library tells', () => {
  afterEach(() => diag.disable());

  test('goes into the log, others without details, which may hold anything', () => {
    const { log, text } = written('info', 'json');
    logDiagnostics(log, 'info');
    diag.warn('spanplan: plans cannot be read', 'StoreError: away');
    diag.warn('somebody else failed', { attributes: 'SECRET' });
    diag.error('somebody else failed', 'SECRET');
    diag.debug('spanplan: unheard');
    const lines = text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ level, msg, detail }) => [level, msg, detail])).toEqual([
      ['warn', 'plans cannot be read', 'StoreError: away'],
      ['warn', 'somebody else failed', undefined],
      ['error', 'somebody else failed', undefined],
    ]);
  });
});
