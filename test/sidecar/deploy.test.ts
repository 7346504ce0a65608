import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { readConfig } from '../../src/sidecar/config/config.ts';
import { workFolder } from '../cli/work-folder.ts';

const FOLDER = fileURLToPath(new URL('../../examples/deploy', import.meta.url));
const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

/** How long the sidecar takes at most to stop. */
const SHUTDOWN_SECONDS = readConfig({ flags: {}, env: {} }).service.shutdown_timeout / 1_000;

/** What this machine cannot tell is said by name, so that nobody takes it for checked. */
function notChecked(what: string, why: string): void {
  console.warn(`not checked on this machine: ${what} (${why})`);
}

/** What the container's settings come to. */
function configOf(env: Readonly<Record<string, string>>) {
  return readConfig({ flags: {}, env });
}

describe('Dockerfile', () => {
  const lines = text('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const last = (instruction: string) => lines.findLast((line) => line.startsWith(`${instruction} `)) ?? '';

  test('runs as a user without rights, the process itself as the first one', () => {
    expect(last('USER')).toBe('USER node');
    expect(JSON.parse(last('ENTRYPOINT').slice('ENTRYPOINT '.length))).toEqual(['node', '/app/dist/cli.js']);
    expect(last('COPY')).toContain('/build/dist');
    expect(packageJson.bin.spanplan).toBe('./dist/cli.js');
  });

  test('its Node is one that the package takes', () => {
    const [, version] = /^FROM node:(\d+)/.exec(last('FROM')) ?? [];
    expect(Number(version)).toBeGreaterThanOrEqual(Number(/\d+/.exec(packageJson.engines.node)?.[0]));
  });

  test('its settings are a configuration, and its healthcheck asks where that listens', () => {
    const env = Object.fromEntries(
      [...last('ENV').matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
    );
    const { receivers, exporters, extensions } = configOf(env);
    expect(receivers.otlp.protocols.http?.endpoint).toBe('0.0.0.0:4318');
    expect(exporters.lmdb?.path).toBe('/data');
    const port = extensions.admin.endpoint.split(':')[1];
    expect(last('HEALTHCHECK')).toContain(`http://127.0.0.1:${port}/readyz`);
    expect(last('EXPOSE')).toBe('EXPOSE 4317 4318 4319');
  });

  test('copies what is there', () => {
    const [, files = ''] = /^COPY (package\.json .*) \.\/$/m.exec(text('Dockerfile')) ?? [];
    expect(files.split(' ')).toContain('package-lock.json');
    for (const name of files.split(' ')) expect(text(`../../${name}`)).not.toBe('');
    for (const name of files.split(' ')) expect(text('Dockerfile.dockerignore')).toContain(`!${name}\n`);
  });

  test('builds', () => {
    if (spawnSync('docker', ['info']).status !== 0) {
      notChecked('docker build -f examples/deploy/Dockerfile', 'no Docker daemon answers');
      return;
    }
    const { status, stderr } = spawnSync(
      'docker',
      ['build', '--check', '-f', 'examples/deploy/Dockerfile', '.'],
      {
        cwd: join(FOLDER, '../..'),
        encoding: 'utf8',
      },
    );
    expect(status, stderr).toBe(0);
  });
});

describe('reference.yaml', () => {
  const name = 'reference.yaml';
  const read = (values: unknown) =>
    readConfig({
      file: { name, text: stringify(values) },
      flags: {},
      env: { TOKEN: 'a', COLLECTOR_TOKEN: 'b' },
    });
  const uncommented = parse(text(name).replaceAll(/^( *)# ( *(?:- )?[a-z_]+:)/gm, '$1$2'));

  test('says the defaults', () => {
    expect(read(parse(text(name)))).toEqual(configOf({}));
  });

  test('has every key, each with a value that is taken', () => {
    const schema = readFileSync(
      new URL('../../src/sidecar/config/config-sections.ts', import.meta.url),
      'utf8',
    );
    const keys = [...schema.matchAll(/^ +([a-z_]+):/gm)].map(([, key = '']) => key);
    expect(keys.length).toBeGreaterThan(60);
    for (const key of keys) expect(stringify(uncommented)).toContain(`${key}:`);
    const { lmdb, redis, memory, otlphttp, otlp, ...others } = uncommented.exporters;
    expect(others).toEqual({});
    for (const exporters of [{ lmdb, otlphttp }, { redis, otlp }, { memory }]) {
      const { receivers } = read({ ...uncommented, exporters });
      expect(receivers.otlp.protocols.http?.auth?.tokens[0]?.tenant).toBe('team-a');
    }
  });
});

describe('compose file', () => {
  const { services, volumes } = parse(text('compose.yaml')) as Readonly<
    Record<string, Record<string, Record<string, unknown>>>
  >;

  test('publishes to this machine only, and gives the sidecar time to finish', () => {
    const { ports, stop_grace_period, read_only, environment } = services?.spanplan ?? {};
    expect(ports).toEqual(['4317', '4318', '4319'].map((port) => `127.0.0.1:${port}:${port}`));
    expect(Number.parseInt(String(stop_grace_period), 10)).toBeGreaterThan(SHUTDOWN_SECONDS);
    expect(read_only).toBe(true);
    // Names that merely lead to it are refused; this one does not.
    expect(services?.spanplan?.hostname).toBe('spanplan');
    const env = { ...(environment as Record<string, string>), SPANPLAN_FORWARD: '' };
    expect(configOf(env).exporters).toMatchObject({
      redis: { endpoint: 'redis://redis:6379' },
      otlphttp: undefined,
    });
  });

  test('keeps the plans when Redis restarts', () => {
    expect(services?.redis?.command).toContain('--appendonly');
    expect(services?.redis?.volumes).toEqual(['redis-data:/data']);
    expect(Object.keys(volumes ?? {})).toEqual(['redis-data']);
  });

  test('is one to Docker too', () => {
    if (spawnSync('docker', ['compose', 'version']).status !== 0) {
      notChecked('docker compose config', 'Docker Compose is not installed');
      return;
    }
    const { status, stderr } = spawnSync(
      'docker',
      ['compose', '-f', join(FOLDER, 'compose.yaml'), 'config', '-q'],
      {
        encoding: 'utf8',
      },
    );
    expect(status, stderr).toBe(0);
  });
});

describe('Kubernetes manifest', () => {
  const documents = parseAllDocuments(text('kubernetes.yaml'));
  const [configMap, deployment] = documents.map((document) => document.toJS() as unknown);
  const { spec } = (deployment as { readonly spec: { readonly template: { readonly spec: PodSpec } } }).spec
    .template;
  const [sidecar] = spec.initContainers;
  const { data, metadata } = configMap as {
    readonly data: Readonly<Record<string, string>>;
    readonly metadata: { readonly name: string };
  };
  const env = Object.fromEntries(
    sidecar?.env.map(({ name, value = 'redis://from-a-secret' }) => [name, value]) ?? [],
  );
  const config = readConfig({
    file: { name: 'spanplan.yaml', text: data['spanplan.yaml'] ?? '' },
    flags: {},
    env,
  });

  test('is a sidecar that starts before the agent, without root', () => {
    for (const { errors } of documents) expect(errors).toEqual([]);
    expect(sidecar?.restartPolicy).toBe('Always');
    expect(spec.securityContext.runAsNonRoot).toBe(true);
    expect(sidecar?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(config.service.shutdown_timeout / 1_000);
  });

  test('its configuration is where it is looked for, and takes the place of that of the image', () => {
    const folder = sidecar?.volumeMounts[0]?.mountPath;
    expect(sidecar?.args).toEqual(['serve', '--config', `${folder}/${Object.keys(data)[0]}`]);
    expect(sidecar?.volumeMounts[0]?.name).toBe(spec.volumes[0]?.name);
    expect(spec.volumes[0]?.configMap.name).toBe(metadata.name);
    for (const [, name = ''] of text('Dockerfile').matchAll(/\b(SPANPLAN_[A-Z]+)=/g))
      expect(env[name]).toBe('');
    expect(config.exporters.redis?.endpoint).toBe('redis://from-a-secret');
    expect(config.exporters.otlphttp?.endpoint).toContain('collector');
  });

  test('spans stay in the pod; who reaches it from outside needs a token', () => {
    const { http, grpc } = config.receivers.otlp.protocols;
    expect([http?.endpoint, grpc?.endpoint]).toEqual(['127.0.0.1:4318', '127.0.0.1:4317']);
    expect(config.extensions.admin.auth?.tokens).toHaveLength(1);
    expect(spec.containers[0]?.env).toEqual([
      { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://127.0.0.1:4318' },
    ]);
  });

  test('is asked how it is without a process of its own, where it answers', () => {
    const [port] = sidecar?.ports ?? [];
    expect(config.extensions.admin.endpoint).toBe(`0.0.0.0:${port?.containerPort}`);
    for (const [probe, path] of [
      [sidecar?.startupProbe, '/readyz'],
      [sidecar?.readinessProbe, '/readyz'],
      [sidecar?.livenessProbe, '/healthz'],
    ] as const) {
      expect(probe?.httpGet).toEqual({ path, port: port?.name });
    }
    const { periodSeconds = 0, failureThreshold = 0 } = sidecar?.startupProbe ?? {};
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(30);
    notChecked('kubectl apply --dry-run=server', 'there is no cluster');
  });

  test('its memory is above the bounds of what it holds, and above what Node may take', () => {
    const { receivers, processors, exporters } = config;
    const { max_buffered_size, max_queued_size } = processors.fanout;
    const outside =
      receivers.otlp.max_in_flight_size + (exporters.otlphttp?.sending_queue.queue_size ?? Number.NaN);
    const heap = Number(/--max-old-space-size=(\d+)/.exec(env.NODE_OPTIONS ?? '')?.[1]) * 2 ** 20;
    expect(heap).toBeGreaterThan(2 * (max_buffered_size + max_queued_size));
    const limit = Number.parseInt(sidecar?.resources.limits.memory ?? '', 10) * 2 ** 20;
    expect(limit).toBeGreaterThan(heap + outside + 96 * 2 ** 20);
  });
});

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly initContainers: readonly {
    readonly restartPolicy: string;
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly startupProbe: Probe;
    readonly readinessProbe: Probe;
    readonly livenessProbe: Probe;
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    readonly resources: { readonly limits: { readonly memory: string } };
  }[];
  readonly containers: readonly { readonly env: unknown }[];
  readonly volumes: readonly { readonly name: string; readonly configMap: { readonly name: string } }[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

describe('systemd unit', () => {
  const unit = text('spanplan.service');
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  test('is given time to finish, and no rights', () => {
    expect(Number.parseInt(value('TimeoutStopSec'), 10)).toBeGreaterThan(SHUTDOWN_SECONDS);
    expect([value('DynamicUser'), value('NoNewPrivileges'), value('ProtectSystem')]).toEqual([
      'yes',
      'yes',
      'strict',
    ]);
    expect(value('ExecStart')).toMatch(/ serve --config \/etc\/spanplan\/spanplan\.yaml$/);
    expect(value('WorkingDirectory')).toBe(`/var/lib/${value('StateDirectory')}`);
  });

  test('is one to systemd too', () => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
      notChecked('systemd-analyze verify', 'systemd is not installed');
      return;
    }
    // The command is not installed here; everything else is as it is.
    const path = join(workFolder(), 'spanplan.service');
    writeFileSync(path, unit.replace('/usr/bin/spanplan', process.execPath));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
    });
    expect(stderr.split('\n').filter((line) => line.includes('spanplan.service'))).toEqual([]);
    expect(status).toBe(0);
  });
});

test('the configuration of the service has no mistakes', () => {
  const config = readConfig({
    file: { name: 'spanplan.yaml', text: text('spanplan.yaml') },
    flags: {},
    env: { SPANPLAN_TOKEN: 'secret', STATE_DIRECTORY: '/var/lib/spanplan' },
  });
  expect(config.exporters.lmdb?.path).toBe('/var/lib/spanplan/plans');
  expect(config.extensions.admin.auth?.tokens).toEqual([{ token: 'secret', tenant: undefined }]);
});
