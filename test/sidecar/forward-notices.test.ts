import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ForwardNotices } from '../../src/sidecar/forward/forward-notices.ts';

let lines: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  lines = [];
  const write = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  const logger: DiagLogger = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    verbose: write('verbose'),
  };
  diag.setLogger(logger, { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true });
});

afterEach(() => {
  diag.disable();
  vi.useRealTimers();
});

const notices = () => new ForwardNotices(new URL('http://collector:4318/?key=SECRET'));
const told = () => lines.splice(0);
const WHERE = 'http://collector:4318/?****';

it('an episode of failures is told of when it begins and when it ends', () => {
  const to = notices();
  to.works();
  expect(told()).toEqual([]);
  to.failing('ECONNREFUSED', 'requests wait');
  to.failing('HTTP 503', 'requests wait');
  expect(to.isFailing).toBe(true);
  expect(told()).toEqual([`warn spanplan: forwarding to ${WHERE} fails (ECONNREFUSED); requests wait`]);
  to.works();
  to.works();
  expect(to.isFailing).toBe(false);
  expect(told()).toEqual([`info spanplan: forwarding to ${WHERE} works again`]);
  to.failing('HTTP 503', 'senders are told so');
  expect(told()).toEqual([`warn spanplan: forwarding to ${WHERE} fails (HTTP 503); senders are told so`]);
});

it('what is lost is told of once a minute for each reason, with how many there were since', () => {
  const to = notices();
  to.lost('rejected', 'HTTP 400');
  for (let i = 0; i < 6; i++) {
    vi.advanceTimersByTime(9_999);
    to.lost('rejected', 'HTTP 413');
  }
  to.lost('queue_full', '');
  expect(told()).toEqual([
    `warn spanplan: 1 request not forwarded to ${WHERE}: rejected (HTTP 400)`,
    `warn spanplan: 1 request not forwarded to ${WHERE}: queue_full`,
  ]);
  vi.advanceTimersByTime(6);
  to.lost('rejected', 'HTTP 413');
  vi.advanceTimersByTime(60_000);
  to.lost('rejected', 'HTTP 400');
  expect(told()).toEqual([
    `warn spanplan: 7 requests not forwarded to ${WHERE}: rejected (HTTP 413)`,
    `warn spanplan: 1 request not forwarded to ${WHERE}: rejected (HTTP 400)`,
  ]);
});
