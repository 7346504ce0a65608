/** The exporters of other languages, told by environment variables alone, against the real command. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { workFolder } from '../cli/work-folder.ts';
import { serve } from '../e2e/sidecar-process.ts';
import { eventually, groupsOf, learnedPlan } from '../sidecar/running-sidecar.ts';
import { type Toolchain, toolchains } from './toolchains.ts';
import { wireTap } from './wire-tap.ts';

const AGENT_SPANS = 4;

const found: Toolchain[] = [];
for (const toolchain of await toolchains()) {
  if ('missing' in toolchain) console.log(`not checked on this machine: ${toolchain.missing}`);
  else found.push(toolchain);
}

describe.each(found)('$language', ({ command, protocols, folder, sdkVersion = '' }) => {
  const cases = protocols.flatMap((protocol) => [
    { protocol, compression: 'none' },
    { protocol, compression: 'gzip' },
  ]);

  test.each(cases)(
    '$protocol, compression $compression: every span arrives, the plan is right',
    async ({ protocol, compression }) => {
      const { ready } = await serve(['--store', 'memory:'], { cwd: workFolder() });
      const tap = await wireTap(protocol === 'grpc' ? ready.grpc : ready.http);
      const { stderr } = await runAgent(command, folder, {
        AGENT_NAME: 'interop-agent',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://${tap.address}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        // Off is said by leaving it away, which all SDKs read alike.
        ...(compression === 'gzip' && { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }),
      });
      expect(stderr).toBe('');
      // The body was compressed if, and only if, that was asked for; what it holds is that SDK's.
      expect(tap.sent().includes('interop-agent')).toBe(compression === 'none');
      if (compression === 'none') expect(tap.sent()).toContain(sdkVersion);

      const admin = `http://${ready.admin}`;
      expect(groupsOf(await learnedPlan(admin, 'interop-agent'))).toEqual([['fetch', 'search']]);
      const metrics = await eventually(async () => {
        const text = await (await fetch(`${admin}/metrics`)).text();
        return text.includes(`spanplan_spans_learned_total ${AGENT_SPANS}`) ? text : undefined;
      });
      expect(metrics).toMatch(new RegExp(`^spanplan_spans_received_total ${AGENT_SPANS}$`, 'm'));
    },
  );
});

/** Runs it to its end; a status other than 0 fails the test. */
function runAgent(
  [file, ...args]: Toolchain['command'],
  cwd: string | undefined,
  env: Readonly<Record<string, string>>,
) {
  // What the machine's own environment says about exporting is not part of the test.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
  return promisify(execFile)(file, args, {
    cwd,
    env: { ...Object.fromEntries(own), ...env },
    timeout: 20_000,
  });
}
