import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../src/sidecar/config/config.ts';
import { formatListenAddress } from '../../src/sidecar/config/config-address.ts';
import type { CommonSettings } from '../../src/sidecar/config/config-overlay.ts';
import { Sidecar } from '../../src/sidecar/sidecar.ts';

export interface RunningSidecar {
  readonly sidecar: Sidecar;
  /** Base URLs without a slash at the end. */
  readonly http: string;
  readonly admin: string;
  /** All log lines so far. */
  readonly log: readonly Record<string, unknown>[];
}

const FREE = '127.0.0.1:0';

/** Runs a sidecar inside the test, in memory and on free ports where nothing else is said, until the test is over. */
export async function runSidecar(yaml = '', flags: CommonSettings = {}): Promise<RunningSidecar> {
  const log: Record<string, unknown>[] = [];
  const write = (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>);
  const config = readConfig({
    file: { name: 'test.yaml', text: yaml },
    flags: { store: 'memory:', http: FREE, grpc: FREE, admin: FREE, ...flags },
    env: {},
  });
  const sidecar = new Sidecar(config, '0.0.0-test', pino({ level: 'debug' }, { write }));
  onTestFinished(async () => {
    await sidecar.stop();
  });
  const bound = await sidecar.start();
  const url = (name: string, tls: unknown) => {
    const address = bound[name];
    return address === undefined
      ? ''
      : `${tls === undefined ? 'http' : 'https'}://${formatListenAddress(address)}`;
  };
  return {
    sidecar,
    http: url('http', config.receivers.otlp.protocols.http?.tls),
    admin: url('admin', config.extensions.admin.tls),
    log,
  };
}

/** What makes a trace be learned from soon after its last span. */
export const QUICK = 'processors: {fanout: {root_quiet: 50ms}}';

/** Posts spans as an SDK does. */
export function postSpans(http: string, request: object, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
}

/** Asks until the answer is good, for plans are learned a moment after their spans came. */
export async function eventually<T>(ask: () => Promise<T | undefined>, millis = 10_000): Promise<T> {
  const deadline = performance.now() + millis;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error('it did not come to pass in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The agent's plan, once there is one. */
export function learnedPlan(admin: string, agent: string, headers: Readonly<Record<string, string>> = {}) {
  return eventually(async () => {
    const answer = await fetch(`${admin}/v1/plans/${encodeURIComponent(agent)}`, { headers });
    return answer.ok ? ((await answer.json()) as { parallel_groups: { tool_names: string[] }[] }) : undefined;
  });
}

/** The sets of tools in a plan. */
export function groupsOf(plan: {
  readonly parallel_groups: readonly { readonly tool_names: readonly string[] }[];
}) {
  return plan.parallel_groups.map((group) => group.tool_names);
}
