import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/sidecar/config/config.ts';
import {
  formatListenAddress,
  isLoopback,
  parseListenAddress,
} from '../../src/sidecar/config/config-address.ts';
import { ConfigError } from '../../src/sidecar/config/config-error.ts';
import type { CommonSettings } from '../../src/sidecar/config/config-overlay.ts';
import { maskUrl, printConfig } from '../../src/sidecar/config/config-print.ts';
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from '../../src/sidecar/config/config-units.ts';

type Env = Readonly<Record<string, string>>;

function config(yaml = '', flags: CommonSettings = {}, env: Env = {}) {
  return readConfig({ file: { name: 'spanplan.yaml', text: yaml }, flags, env });
}

/** What is said of a configuration that cannot be used; a line for each mistake. */
function mistakes(yaml: string, flags: CommonSettings = {}, env: Env = {}): readonly string[] {
  try {
    config(yaml, flags, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

/** `$` and braces around the name of a variable. */
function variable(name: string): string {
  return `$\{env:${name}}`;
}

describe('without a file', () => {
  test('everything has a default', () => {
    const { receivers, exporters, extensions, processors, service } = readConfig({ flags: {}, env: {} });
    const { http, grpc } = receivers.otlp.protocols;
    expect(http?.endpoint).toBe('127.0.0.1:4318');
    expect(grpc?.endpoint).toBe('127.0.0.1:4317');
    expect(extensions.admin.endpoint).toBe('127.0.0.1:4319');
    expect(http?.max_request_body_size).toBe(64 * 2 ** 20);
    expect(exporters).toMatchObject({ lmdb: { path: './.spanplan' }, redis: undefined, otlphttp: undefined });
    expect(processors.fanout).toMatchObject({ root_quiet: 2_000, min_overlap: 2, cohorts: 'every' });
    expect(service.shutdown_timeout).toBe(10_000);
  });

  test('the defaults are these', () => {
    expect(printConfig(readConfig({ flags: { forward: 'http://a:1' }, env: {} }))).toBe(`receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
        max_request_body_size: 64MiB
        max_connections: 1024
      grpc:
        endpoint: 127.0.0.1:4317
        max_request_body_size: 64MiB
        max_connections: 1024
    max_in_flight_size: 256MiB
processors:
  fanout:
    cohorts: every
    run: agent
    min_overlap: 2ms
    cross_resource_overlap: 50ms
    root_quiet: 2s
    remote_root_quiet: 10s
    idle: 5m
    late: 1h
    max_trace_age: 6h
    max_spans_per_trace: 20000
    max_buffered_traces: 50000
    max_buffered_size: 64MiB
    max_queued_runs: 10000
    max_queued_size: 32MiB
exporters:
  lmdb:
    path: ./.spanplan
    max_groups: 512
    max_plan_size: 1MiB
    max_agents: 10000
    max_runs_per_agent: 100
    run_ttl: 7d
    applied_run_ttl: 7d
    max_applied_runs: 10000
  otlphttp:
    endpoint: http://a:1
    compression: none
    headers: {}
    timeout: 10s
    tls:
      insecure_skip_verify: false
      insecure: false
    sync: false
    sending_queue:
      queue_size: 64MiB
      num_consumers: 10
    retry_on_failure:
      initial_interval: 1s
      max_interval: 30s
      max_elapsed_time: 5m
extensions:
  admin:
    endpoint: 127.0.0.1:4319
    max_listeners: 100
    allowed_hosts: []
service:
  shutdown_timeout: 10s
  telemetry:
    logs:
      level: info
`);
  });

  test('an empty file says as much', () => {
    expect(config('')).toEqual(readConfig({ flags: {}, env: {} }));
    expect(config('# nothing\n---\n')).toEqual(readConfig({ flags: {}, env: {} }));
  });

  test('where an agent sends its own telemetry is not where we forward to', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://x',
    };
    expect(config('', {}, env).exporters.otlphttp).toBeUndefined();
  });
});

describe('precedence', () => {
  const file =
    'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:1"}, grpc: }}}\nexporters: {redis: {max_groups: 7}}';

  test('a flag goes before the environment, that before the file, that before the default', () => {
    const endpoint = (flags: CommonSettings, env: Env, yaml = file) =>
      config(yaml, flags, env).receivers.otlp.protocols.http?.endpoint;
    expect(endpoint({ http: '127.0.0.1:3' }, { SPANPLAN_HTTP: '127.0.0.1:2' })).toBe('127.0.0.1:3');
    expect(endpoint({}, { SPANPLAN_HTTP: '127.0.0.1:2' })).toBe('127.0.0.1:2');
    expect(endpoint({}, { SPANPLAN_HTTP: '' })).toBe('127.0.0.1:1');
    expect(endpoint({}, {}, '')).toBe('127.0.0.1:4318');
  });

  test('a flag changes one value and leaves those beside it', () => {
    const { redis } = config(file, { store: 'redis://elsewhere', keyPrefix: 'k:' }).exporters;
    expect(redis).toMatchObject({ endpoint: 'redis://elsewhere', key_prefix: 'k:', max_groups: 7 });
    const { otlphttp } = config('exporters: {otlphttp: {endpoint: "http://a", timeout: 3s}}', {
      forward: 'https://b',
    }).exporters;
    expect(otlphttp).toMatchObject({ endpoint: 'https://b', timeout: 3_000 });
  });

  test('another kind of store takes the place of the one in the file', () => {
    const { redis, lmdb, memory } = config(file, {}, { SPANPLAN_STORE: 'lmdb:/var/lib/plans' }).exporters;
    expect([redis, lmdb?.path, memory]).toEqual([undefined, '/var/lib/plans', undefined]);
    expect(config(file, { store: 'memory:' }).exporters).toMatchObject({
      redis: undefined,
      memory: { max_groups: 512 },
    });
  });

  test.each(['redis://h', 'REDISS://h:1', 'unix:/run/redis.sock', 'redis+unix:/run/redis.sock'])(
    'the store %s is Redis',
    (store) => expect(config('', { store }).exporters.redis?.endpoint).toBe(store),
  );

  test.each(['memory:x', 'lmdb:', 'redis:h', 'unix:', ''])('the store %j is none', (store) => {
    expect(mistakes('', { store })).toEqual([expect.stringMatching(/^--store: expected lmdb:PATH, /)]);
  });

  test('another kind of destination takes the place of the one in the file', () => {
    const yaml = 'exporters: {otlphttp: {endpoint: "http://a"}}';
    const { otlp, otlphttp } = config(yaml, { forward: 'grpc://b:4317' }).exporters;
    expect([otlp?.endpoint, otlphttp]).toEqual(['http://b:4317', undefined]);
    expect(config(yaml, { forward: 'grpcs://b:4317' }).exporters.otlp?.endpoint).toBe('https://b:4317');
    expect(config(yaml, { forward: 'GRPC://b:4317' }).exporters.otlp?.endpoint).toBe('http://b:4317');
    const other = config('exporters: {otlp: {endpoint: "a:1"}}', { forward: 'http://b' }).exporters;
    expect([other.otlp, other.otlphttp?.endpoint]).toEqual([undefined, 'http://b']);
  });

  test('listed protocols are on, others are off unless they are asked for', () => {
    const yaml = 'receivers: {otlp: {protocols: {grpc: }}}';
    expect(config(yaml).receivers.otlp.protocols).toMatchObject({
      http: undefined,
      grpc: { endpoint: '127.0.0.1:4317' },
    });
    expect(config(yaml, { http: 'localhost:0' }).receivers.otlp.protocols.http?.endpoint).toBe('localhost:0');
    for (const unlisted of ['', 'receivers: {otlp: {protocols: }}']) {
      expect(config(unlisted, { http: 'localhost:0' }).receivers.otlp.protocols.grpc?.endpoint).toBe(
        '127.0.0.1:4317',
      );
    }
  });
});

describe('YAML', () => {
  test('may merge what an anchor holds', () => {
    const yaml =
      'receivers: {otlp: {protocols: {http: &p {max_connections: 7}, grpc: {<<: *p, endpoint: "a:1"}}}}';
    expect(config(yaml).receivers.otlp.protocols.grpc).toMatchObject({
      endpoint: 'a:1',
      max_connections: 7,
    });
  });
});

describe('the environment inside of a file', () => {
  const tokens = (value: string, env: Env = {}) => {
    const yaml = `extensions:\n  admin:\n    auth:\n      tokens:\n        - token: ${value}\n`;
    return config(yaml, {}, env).extensions.admin.auth?.tokens[0]?.token;
  };

  test('stands for its value, or its default where it is not set or empty', () => {
    expect(tokens(`a-${variable('T')}-z`, { T: 'secret' })).toBe('a-secret-z');
    expect(tokens(variable('T:-fallback'))).toBe('fallback');
    expect(tokens(variable('T:-fallback'), { T: '' })).toBe('fallback');
    expect(tokens(`$$T-$${variable('T')}`, { T: 'x' })).toBe(`$T-${variable('T')}`);
  });

  test('is text that becomes what the place takes, and is never read as YAML', () => {
    expect(tokens(variable('T'), { T: '00123' })).toBe('00123');
    expect(tokens(variable('T'), { T: '{a:b}' })).toBe('{a:b}');
    const yaml = `exporters: {redis: {max_groups: "${variable('N')}", hash_tags: "${variable('B')}"}}`;
    expect(config(yaml, {}, { N: '9', B: 'true' }).exporters.redis).toMatchObject({
      max_groups: 9,
      hash_tags: true,
    });
  });

  test('is not looked for in keys', () => {
    expect(mistakes(`service: {"${variable('T')}": 1}`, {}, { T: 'shutdown_timeout' })).toEqual([
      `spanplan.yaml:1:11: service.${variable('T')}: unknown key; expected shutdown_timeout, telemetry`,
    ]);
  });

  test('must be there', () => {
    const yaml = `service:\n  shutdown_timeout: ${variable('NOPE')}`;
    for (const env of [{}, { NOPE: '' }]) {
      expect(mistakes(yaml, {}, env)).toEqual([
        `spanplan.yaml:2:21: expected the environment variable NOPE to be set and not empty; ${variable('NOPE:-DEFAULT')} gives it a default`,
      ]);
    }
    expect(mistakes(variable('NOPE').replace('env:', ''))[0]).toContain(`expected ${variable('NAME')}`);
  });

  test('with an empty default it is as if it were not written', () => {
    const yaml = `exporters: {redis: {endpoint: "${variable('R:-')}", key_prefix: "${variable('K:-')}"}}`;
    expect(config(yaml).exporters.redis).toMatchObject({
      endpoint: 'redis://127.0.0.1:6379',
      key_prefix: 'spanplan:',
    });
    expect(mistakes(`extensions: {admin: {auth: {tokens: [{token: "${variable('T:-')}"}]}}}`)[0]).toContain(
      'token: missing: expected a token',
    );
  });

  test('has no other variable for its default', () => {
    const yaml = `service: {shutdown_timeout: "${variable(`A:-${variable('B:-1s')}`)}"}`;
    for (const env of [{}, { A: '2s' }]) {
      expect(mistakes(yaml, {}, env)).toEqual([
        'spanplan.yaml:1:29: expected a default without ${: that of the variable A cannot be another variable',
      ]);
    }
  });
});

describe('mistakes', () => {
  test.each([
    ['a key that is nearly one', 'recievers: {}', '1:1: recievers: unknown key; did you mean receivers?'],
    [
      'a key that is none',
      'exporters:\n  kafka: {}',
      '2:3: exporters.kafka: unknown key; expected lmdb, redis, memory, otlphttp, otlp',
    ],
    [
      'what a Collector needs',
      'service:\n  pipelines: {}',
      '2:3: service.pipelines: unknown key; there is one pipeline, which need not be declared: leave it out',
    ],
    [
      'what a Collector batches',
      'processors: {batch: }',
      '1:14: processors.batch: unknown key; requests are passed on as they come: leave it out',
    ],
    [
      'a long key with several slips',
      'receivers: {otlp: {protocols: {grpc: {max_reqest_bdy_siz: 1}}}}',
      '1:39: receivers.otlp.protocols.grpc.max_reqest_bdy_siz: unknown key; did you mean max_request_body_size?',
    ],
    [
      'a key that is near to two',
      'processors: {fanout: {max_queued_sizs: 1}}',
      '1:23: processors.fanout.max_queued_sizs: unknown key; did you mean max_queued_size?',
    ],
    [
      'letters that changed places, which is one slip each',
      'receivers: {otlp: {protocols: {thpt: }}}',
      '1:32: receivers.otlp.protocols.thpt: unknown key; did you mean http?',
    ],
    [
      'a key that is cut short',
      'receivers: {otlp: {protocols: {http: {max_conn: 1}}}}',
      '1:39: receivers.otlp.protocols.http.max_conn: unknown key; did you mean max_connections?',
    ],
    [
      'a key that begins another, and is nearer to one that it does not begin',
      'exporters: {memory: {max_runs: 1}}',
      '1:22: exporters.memory.max_runs: unknown key; did you mean max_runs_per_agent?',
    ],
    [
      'a key that another begins, in letters of any case',
      'exporters: {memory: {MAX_GROUPS_OF_AN_AGENT: 1}}',
      '1:22: exporters.memory.MAX_GROUPS_OF_AN_AGENT: unknown key; did you mean max_groups?',
    ],
    [
      'a key that begins several, of which the nearest is meant',
      'receivers: {otlp: {protocols: {grpc: {max_: 1}}}}',
      '1:39: receivers.otlp.protocols.grpc.max_: unknown key; did you mean max_connections?',
    ],
    [
      'an address',
      'receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 4318',
      '5:19: receivers.otlp.protocols.http.endpoint: expected HOST:PORT, for instance 127.0.0.1:4318',
    ],
    [
      'a port out of range',
      'extensions: {admin: {endpoint: "a:65536"}}',
      '1:32: extensions.admin.endpoint: expected HOST:PORT, for instance 127.0.0.1:4318',
    ],
    [
      'a size',
      'processors: {fanout: {max_buffered_size: 64 MiBi}}',
      '1:42: processors.fanout.max_buffered_size: expected a size of at least 1 byte, for instance 64MiB',
    ],
    [
      'a duration',
      'service: {shutdown_timeout: 10}',
      '1:29: service.shutdown_timeout: expected a duration of at least 1ms with its unit (ms, s, m, h, d), for instance 10s or 500ms',
    ],
    [
      'a duration that is too short',
      'exporters: {memory: {run_ttl: 5}}',
      '1:31: exporters.memory.run_ttl: expected a duration of at least 1s with its unit (ms, s, m, h, d), for instance 10s or 2h',
    ],
    [
      'a number',
      'exporters: {memory: {max_groups: 0}}',
      '1:34: exporters.memory.max_groups: expected a whole number of at least 1',
    ],
    [
      'a number that is not whole',
      'exporters: {memory: {max_groups: 1.5}}',
      '1:34: exporters.memory.max_groups: expected a whole number of at least 1',
    ],
    [
      'a number written in another way',
      'exporters: {memory: {max_groups: "1e3"}}',
      '1:34: exporters.memory.max_groups: expected a whole number of at least 1',
    ],
    [
      'a text of blanks',
      'processors: {fanout: {agent: " "}}',
      "1:30: processors.fanout.agent: expected an agent's name",
    ],
    [
      'a word of few',
      'processors: {fanout: {cohorts: all}}',
      '1:32: processors.fanout.cohorts: expected one of every, maximal',
    ],
    [
      'true or false',
      'exporters: {redis: {hash_tags: yes}}',
      '1:32: exporters.redis.hash_tags: expected true or false',
    ],
    [
      'a store that is none',
      'exporters: {redis: {endpoint: "http://x"}}',
      '1:31: exporters.redis.endpoint: expected redis://HOST:PORT, rediss://HOST:PORT or unix:PATH',
    ],
    [
      'two stores',
      'exporters:\n  redis:\n  lmdb:',
      '2:9: exporters.redis: expected one place for plans; lmdb is one already',
    ],
    [
      'a destination without an address',
      'exporters: {otlphttp: {timeout: 1s}}',
      '1:23: exporters.otlphttp.endpoint: missing: expected http://HOST:PORT or https://HOST:PORT',
    ],
    [
      'two destinations',
      'exporters: {otlphttp: {endpoint: "http://a"}, otlp: {endpoint: "b:1"}}',
      '1:53: exporters.otlp: expected one destination; otlphttp is one already',
    ],
    [
      'a certificate without its key',
      'extensions: {admin: {tls: {cert_file: a}}}',
      '1:27: extensions.admin.tls.key_file: missing: expected a file with a private key in PEM',
    ],
    [
      'half a client certificate',
      'exporters: {otlp: {endpoint: "b:1", tls: {cert_file: a}}}',
      '1:42: exporters.otlp.tls: expected cert_file and key_file, or neither',
    ],
    [
      'a token that is a number',
      'extensions: {admin: {auth: {tokens: [{token: 123}]}}}',
      '1:46: extensions.admin.auth.tokens.0.token: expected a token of visible characters without spaces; where it is a number, put it in quotes',
    ],
    [
      'a token that nobody could send',
      'extensions: {admin: {auth: {tokens: [{token: "a b"}]}}}',
      '1:46: extensions.admin.auth.tokens.0.token: expected a token of visible characters without spaces; where it is a number, put it in quotes',
    ],
    [
      'a tenant whose name is no text of Unicode',
      'extensions: {admin: {auth: {tokens: [{token: a, tenant: "\\ud800"}]}}}',
      '1:57: extensions.admin.auth.tokens.0.tenant: expected a name of 1 to 64 bytes',
    ],
    [
      'a tenant whose name is short in characters only',
      `extensions: {admin: {auth: {tokens: [{token: a, tenant: ${'ü'.repeat(33)}}]}}}`,
      '1:57: extensions.admin.auth.tokens.0.tenant: expected a name of 1 to 64 bytes',
    ],
    [
      'a tenant without a name',
      'extensions: {admin: {auth: {tokens: [{token: a, tenant: " "}]}}}',
      '1:57: extensions.admin.auth.tokens.0.tenant: expected a name of 1 to 64 bytes',
    ],
    [
      'the name of a header',
      'exporters: {otlphttp: {endpoint: "http://a", headers: {"a b": c}}}',
      '1:63: exporters.otlphttp.headers.a b: expected the name of a header',
    ],
    [
      'the text of a header that nobody could send',
      'exporters: {otlphttp: {endpoint: "http://a", headers: {a: "b\\nc"}}}',
      '1:59: exporters.otlphttp.headers.a: expected the text of a header; where it is a number, put it in quotes',
    ],
    [
      'a URL that is none',
      'exporters: {otlphttp: {endpoint: "http://h:99999"}}',
      '1:34: exporters.otlphttp.endpoint: expected http://HOST:PORT or https://HOST:PORT',
    ],
    [
      'a path without a scheme',
      'exporters: {otlp: {endpoint: "h:1/x"}}',
      '1:30: exporters.otlp.endpoint: expected HOST:PORT, http://HOST:PORT or https://HOST:PORT',
    ],
    [
      'nothing to listen to',
      'receivers: {otlp: {protocols: {}}}',
      '1:31: receivers.otlp.protocols: expected http, grpc or both; with neither nothing can be received',
    ],
    [
      'bodies larger than the room for them',
      'receivers: {otlp: {max_in_flight_size: 1MiB}}',
      '1:40: receivers.otlp.max_in_flight_size: expected at least twice protocols.http.max_request_body_size: a body is held as it came and inflated',
    ],
    [
      'tenants of which one could never send the largest body',
      'receivers: {otlp: {max_in_flight_size: 128MiB, protocols: {http: {auth: {tokens: [{token: a, tenant: t}]}}}}}',
      '1:40: receivers.otlp.max_in_flight_size: expected at least four times protocols.http.max_request_body_size: a tenant may take no more than it leaves to others',
    ],
    [
      'the admin port naming a second tenant: then there are two as well',
      'receivers: {otlp: {max_in_flight_size: 30MiB, protocols: {grpc: {max_request_body_size: 10MiB, auth: {tokens: [{token: a, tenant: t}]}}}}}\nextensions: {admin: {auth: {tokens: [{token: b, tenant: u}]}}}',
      '1:40: receivers.otlp.max_in_flight_size: expected at least four times protocols.grpc.max_request_body_size: a tenant may take no more than it leaves to others',
    ],
    [
      'one port for both protocols',
      'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:4000"}, grpc: {endpoint: "0.0.0.0:4000"}}}}',
      '1:85: receivers.otlp.protocols.grpc.endpoint: expected a port of its own; receivers.otlp.protocols.http.endpoint has it already',
    ],
    [
      'a receiver on the port of the admin, under another name',
      'extensions: {admin: {endpoint: "localhost:4318"}}',
      '1:32: extensions.admin.endpoint: expected a port of its own; receivers.otlp.protocols.http.endpoint has it already',
    ],
    [
      'a receiver on all addresses, and one on one of them',
      'receivers: {otlp: {protocols: {http: {endpoint: "[::]:4000"}, grpc: {endpoint: "10.0.0.1:4000"}}}}',
      '1:80: receivers.otlp.protocols.grpc.endpoint: expected a port of its own; receivers.otlp.protocols.http.endpoint has it already',
    ],
    [
      'a receiver on this machine by its name, and by its address of IPv6',
      'receivers: {otlp: {protocols: {http: {endpoint: "LOCALHOST:4000"}, grpc: {endpoint: "[::1]:4000"}}}}',
      '1:85: receivers.otlp.protocols.grpc.endpoint: expected a port of its own; receivers.otlp.protocols.http.endpoint has it already',
    ],
    [
      'a destination without a port that could be reached',
      'exporters: {otlphttp: {endpoint: "http://127.0.0.1:0"}}',
      '1:34: exporters.otlphttp.endpoint: expected a port above 0',
    ],
    [
      'such a destination with a path',
      'exporters: {otlphttp: {endpoint: "http://127.0.0.1:0/otlp"}}',
      '1:34: exporters.otlphttp.endpoint: expected a port above 0',
    ],
    [
      'such a destination with a query',
      'exporters: {otlphttp: {endpoint: "http://127.0.0.1:0?key=a"}}',
      '1:34: exporters.otlphttp.endpoint: expected a port above 0',
    ],
    [
      'an origin that stands for all',
      'receivers: {otlp: {protocols: {http: {cors: {allowed_origins: ["*"]}}}}}',
      '1:64: receivers.otlp.protocols.http.cors.allowed_origins.0: expected an origin in full, for instance https://app.example',
    ],
    [
      'bodies longer than any text',
      'receivers: {otlp: {max_in_flight_size: 2GiB, protocols: {http: {max_request_body_size: 1GiB}}}}',
      '1:88: receivers.otlp.protocols.http.max_request_body_size: expected at most 511MiB: a body of JSON becomes one text, which cannot be longer',
    ],
    [
      'quiet that lasts longer than idling',
      'processors: {fanout: {root_quiet: 1h, idle: 1m}}',
      '1:35: processors.fanout.root_quiet: expected at most idle: a trace with its root never waits longer',
    ],
    [
      'a queue that nothing is put in',
      'exporters: {otlp: {endpoint: "b:1", sync: true, sending_queue: {storage: q}}}',
      '1:43: exporters.otlp.sync: expected false where sending_queue.storage is given: with sync nothing is queued',
    ],
    [
      'a queue among the plans',
      'exporters: {lmdb: {path: ./p}, otlp: {endpoint: "b:1", sending_queue: {storage: p}}}',
      '1:81: exporters.otlp.sending_queue.storage: expected another directory than that of the plans',
    ],
    [
      'a list that is none',
      'extensions: {admin: {auth: {tokens: abc}}}',
      '1:37: extensions.admin.auth.tokens: expected a list of entries like {token: TEXT, tenant: NAME}',
    ],
    [
      'a section that is none',
      'receivers: [otlp]',
      '1:12: receivers: expected keys with values below this one',
    ],
    [
      'another section that is none',
      'exporters: text',
      '1:12: exporters: expected keys with values below this one',
    ],
    ['a tag', 'service: !SECRET {shutdown_timeout: 1s}', '1:10: expected a value without a tag'],
    ['no section at all', 'just text', '1:1: expected keys with values below this one'],
    [
      'a key given twice',
      'service:\n  shutdown_timeout: 1s\n  shutdown_timeout: 2s',
      '3:3: expected each key once; this one stands there twice',
    ],
    [
      'a tab',
      'service:\n\tshutdown_timeout: 1s',
      '2:1: expected spaces, not tabs, at the beginning of a line',
    ],
    [
      'a bracket that is missing',
      'service: {shutdown_timeout: 1s',
      '1:31: expected YAML: the indentation is not that of the lines around, or a bracket is missing',
    ],
  ])('%s', (_, yaml, expected) => {
    expect(mistakes(yaml)).toContainEqual(`spanplan.yaml:${expected}`);
  });

  test('are all told at once, each with its place', () => {
    const yaml = 'service: {shutdown_timeout: soon}\nprocessors:\n  fanout: {idle: never}\n  batch:';
    const told = mistakes(
      yaml,
      { http: 'x', store: 'ftp://y' },
      { SPANPLAN_ADMIN: 'z', SPANPLAN_FORWARD: 'w' },
    );
    expect(told.map((line) => line.split(': ')[0])).toEqual([
      'SPANPLAN_FORWARD',
      '--store',
      '--http',
      'SPANPLAN_ADMIN',
      'spanplan.yaml:1:29',
      'spanplan.yaml:3:18',
      'spanplan.yaml:4:3',
    ]);
  });

  /** Where the mistakes stand, and about what. */
  const heads = (...args: Parameters<typeof mistakes>) =>
    mistakes(...args).map((line) => line.replace(/: (?:missing: )?expected .*/, ''));

  test('of one kind hide none of another', () => {
    const unset = variable('NOPE');
    expect(
      heads(
        'exporters: {lmdb: , redis: }\nservice: {shutdown_timeout: fast}\nprocessors: {fanout: {root_quiet: 1h, idle: 1m}}',
      ),
    ).toEqual([
      'spanplan.yaml:1:28: exporters.redis',
      'spanplan.yaml:2:29: service.shutdown_timeout',
      'spanplan.yaml:3:35: processors.fanout.root_quiet',
    ]);
    expect(
      heads(`service: {shutdown_timeout: fast}\nexporters: {redis: {endpoint: "${unset}"}, lmdb: }`),
    ).toEqual([
      'spanplan.yaml:1:29: service.shutdown_timeout',
      'spanplan.yaml:2:20: exporters.redis',
      'spanplan.yaml:2:31',
    ]);
    expect(heads('exporters: {redis: {endpoint: "ftp://x"}, lmdb: }')).toEqual([
      'spanplan.yaml:1:20: exporters.redis',
      'spanplan.yaml:1:31: exporters.redis.endpoint',
    ]);
  });

  test('in what YAML says above a fault are told; what it may say below is not guessed', () => {
    const yaml =
      'service:\n  shutdown_timeout: fast\n  telemtry:\nprocessors:\n\tfanout: {idle: never}\nexporters:\n  redis: 3';
    expect(heads(yaml, { http: 'x' })).toEqual([
      '--http: receivers.otlp.protocols.http.endpoint',
      'spanplan.yaml:2:21: service.shutdown_timeout',
      'spanplan.yaml:3:3: service.telemtry: unknown key; did you mean telemetry?',
      'spanplan.yaml:5:1',
    ]);
    expect(heads('service: {shutdown_timeout: fast}]')).toEqual([
      'spanplan.yaml:1:29: service.shutdown_timeout',
      'spanplan.yaml:1:34',
    ]);
    expect(heads('receivers: [otlp]]')).toEqual(['spanplan.yaml:1:12: receivers', 'spanplan.yaml:1:18']);
    // Whether two values contradict each other depends on what may stand below.
    expect(heads('exporters: {redis: , lmdb: }\nservice:\n\tx: 1')).toEqual(['spanplan.yaml:3:1']);
    // A tag leaves no doubt of the rest, and nor does an alias without a name.
    expect(heads('service: !x {}\nexporters: {redis: , lmdb: }')).toContain(
      'spanplan.yaml:2:20: exporters.redis',
    );
    expect(heads('service: *\nexporters: {redis: , lmdb: }')).toContain(
      'spanplan.yaml:2:20: exporters.redis',
    );
    // A key that stands there twice leaves no doubt of the rest.
    expect(heads('service:\nservice:\nexporters:\n  redis: 3\n  lmdb:')).toEqual([
      'spanplan.yaml:2:1',
      'spanplan.yaml:4:10: exporters.redis',
      'spanplan.yaml:4:10: exporters.redis',
    ]);
  });

  test('a value that is wrong makes no contradiction of what it is not', () => {
    expect(heads('processors: {fanout: {root_quiet: 1h, idle: never}}')).toEqual([
      'spanplan.yaml:1:45: processors.fanout.idle',
    ]);
    expect(heads('receivers: {otlp: {protocols: [http]}}')).toEqual([
      'spanplan.yaml:1:31: receivers.otlp.protocols',
    ]);
    expect(heads('receivers: [otlp]')).toEqual(['spanplan.yaml:1:12: receivers']);
    expect(heads('receivers: {otlp: {max_in_flight_size: lots}}')).toEqual([
      'spanplan.yaml:1:40: receivers.otlp.max_in_flight_size',
    ]);
    const two = '[{token: 5, tenant: a}, {token: 6, tenant: b}]';
    expect(heads(`extensions: {admin: {auth: {tokens: ${two}}}}`)).toEqual([
      'spanplan.yaml:1:46: extensions.admin.auth.tokens.0.token',
      'spanplan.yaml:1:69: extensions.admin.auth.tokens.1.token',
    ]);
    expect(heads('exporters: {otlp: {endpoint: "b:1", tls: {cert_file: 5, key_file: a}}}')).toEqual([
      'spanplan.yaml:1:54: exporters.otlp.tls.cert_file',
    ]);
  });

  test('a key that is none makes no value beside it wrong', () => {
    expect(heads('receivers: {otlp: {protocols: {}, max: 1}}')).toContain(
      'spanplan.yaml:1:31: receivers.otlp.protocols',
    );
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', '~'])(
    'a key named %s is as unknown as another',
    (name) => {
      const known = 'expected receivers, processors, exporters, extensions, service';
      const shown = name === 'null' || name === '~' ? '' : `${name}: `;
      expect(mistakes(`service: {}\n${name}: {a: 1}`)).toEqual([
        `spanplan.yaml:2:1: ${shown}unknown key; ${known}`,
      ]);
      expect(mistakes(`service:\n  ${name}: 1`)[0]).toMatch(/^spanplan\.yaml:2:3: service\..*unknown key; /);
    },
  );

  test('a key that is a list or a map is told, and nothing is written to the console', () => {
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown) => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    expect(mistakes('service: !SECRET {}')).toEqual(['spanplan.yaml:1:10: expected a value without a tag']);
    for (const key of ['[a, b]', '{a: b}', '? [a]\n']) {
      expect(mistakes(`service: {}\n${key}: 1`)).toEqual([
        expect.stringMatching(/^spanplan\.yaml:2:\d: expected a key that is a word, not a list or a map$/),
      ]);
    }
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => expect(warnings).toEqual([]));
  });

  test('an alias of no anchor is told where it stands', () => {
    expect(mistakes('exporters:\n  redis: *nope\nservice: {shutdown_timeout: fast}')).toEqual([
      'spanplan.yaml:2:10: expected the name of an anchor that stands above',
      expect.stringContaining('spanplan.yaml:3:29: service.shutdown_timeout: '),
    ]);
  });

  test('an alias of no anchor in the place of a key is told once', () => {
    expect(mistakes('*nope : 1\nservice: {*none : {}, shutdown_timeout: 1s}')).toEqual([
      'spanplan.yaml:1:1: expected the name of an anchor that stands above',
      'spanplan.yaml:2:11: expected the name of an anchor that stands above',
    ]);
  });

  test('a key prefix where there are no keys', () => {
    const expected =
      'expected only with plans in Redis (--store redis://HOST:PORT); in other stores there are no keys';
    expect(mistakes('', { keyPrefix: 'k:' })).toEqual([`--key-prefix: ${expected}`]);
    expect(mistakes('', { store: 'memory:' }, { SPANPLAN_KEY_PREFIX: 'k:' })).toEqual([
      `SPANPLAN_KEY_PREFIX: ${expected}`,
    ]);
    expect(mistakes('exporters: {lmdb: }', { keyPrefix: 'k:' })).toEqual([`--key-prefix: ${expected}`]);
    expect(mistakes('', { store: 'redis://h', keyPrefix: 'k:' })).toEqual([]);
  });

  test('files that cannot be read are told with the key and the line', () => {
    const yaml =
      'extensions:\n  admin:\n    tls: {cert_file: /c, key_file: /k}\nexporters: {otlp: {endpoint: "b:1", tls: {ca_file: /a}}}';
    const checkFile = (path: string) => (path === '/k' ? undefined : 'ENOENT');
    const read = () =>
      readConfig({ file: { name: 'spanplan.yaml', text: yaml }, flags: {}, env: {}, checkFile });
    expect(read).toThrow(
      'spanplan.yaml:3:22: extensions.admin.tls.cert_file: expected a file that can be read (ENOENT)\n' +
        'spanplan.yaml:4:52: exporters.otlp.tls.ca_file: expected a file that can be read (ENOENT)',
    );
    // Whoever only wants to see the configuration may do so on another machine.
    expect(mistakes(yaml)).toEqual([]);
    const flags = { logLevel: 'info', store: 'nowhere' };
    const both = () => readConfig({ file: { name: 'spanplan.yaml', text: yaml }, flags, env: {}, checkFile });
    expect(both).toThrow(/^--store: .*\n.*cert_file: expected a file.*\n.*ca_file: expected a file/);
  });

  test.each([
    [
      'receivers: {otlp: {protocols: {http: {tls: {cert_file: /c, key_file: /k}}}}}',
      ['cert_file', 'key_file'],
    ],
    [
      'receivers: {otlp: {protocols: {grpc: {tls: {cert_file: /c, key_file: /k}}}}}',
      ['cert_file', 'key_file'],
    ],
    ['exporters: {otlphttp: {endpoint: "http://b:1", tls: {ca_file: /a}}}', ['ca_file']],
    ['exporters: {otlp: {endpoint: "b:1", tls: {cert_file: /c, key_file: /k}}}', ['cert_file', 'key_file']],
  ])('files are looked at wherever they are named: %s', (text, keys) => {
    const read = () =>
      readConfig({ file: { name: 'f', text }, flags: {}, env: {}, checkFile: () => 'EACCES' });
    expect(read).toThrow(new RegExp(`^${keys.map((key) => `f:.*\\.tls\\.${key}: .*EACCES.*`).join('\n')}$`));
  });

  test('never show a value, which may be a secret', () => {
    const yaml =
      'extensions: {admin: {auth: {tokens: [{token: "TOP SECRET", tenant: [SECRET]}], SECRET}}}\nSECRET\n';
    for (const text of [
      yaml,
      yaml.replace('\nSECRET\n', ''),
      'exporters: {redis: {endpoint: "http://:SECRET@x"}}',
    ]) {
      expect(mistakes(text).length).toBeGreaterThan(0);
      expect(
        mistakes(text, { store: 'SECRET', forward: 'SECRET' }).join('\n').replace('auth.SECRET', ''),
      ).not.toContain('SECRET');
    }
  });

  test.each([
    ['http://127.0.0.1:4318'],
    ['http://localhost:4318/some/path'],
    ['http://[::1]:4319'],
    ['grpc://0.0.0.0:4317'],
  ])('forwarding to ourselves: %s', (forward) => {
    expect(mistakes('', { forward })[0]).toMatch(
      /^--forward: exporters\.otlp(?:http)?\.endpoint: expected .* go round for ever$/,
    );
    expect(mistakes('', { forward: forward.replace(/43\d\d/, '14318') })).toEqual([]);
  });

  test('whatever the file holds, it is a configuration or a list of mistakes', () => {
    const anything = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' });
    const path = fc.constantFrom(
      'receivers otlp protocols http',
      'exporters otlphttp',
      'processors',
      'service',
      '__proto__',
    );
    const file = fc
      .tuple(path, anything)
      .map(([path, value]) =>
        path
          .split(' ')
          .reduceRight((inner, key) => `{${JSON.stringify(key)}: ${inner}}`, JSON.stringify(value)),
      );
    fc.assert(
      fc.property(fc.oneof(file, fc.string({ unit: 'binary' })), (text) => {
        mistakes(text);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('aliases that grow without end are refused', () => {
    const lines = ['a0: &a0 [x, x]'];
    for (let level = 1; level < 20; level++)
      lines.push(`a${level}: &a${level} [*a${level - 1}, *a${level - 1}, *a${level - 1}]`);
    expect(mistakes(lines.join('\n'))).toEqual([
      'spanplan.yaml:1:1: expected at most 100 values by way of aliases',
    ]);
  });
});

test.each([
  [
    'half the room does for a single tenant, whom receiver and admin port know',
    'receivers: {otlp: {max_in_flight_size: 128MiB, protocols: {http: {auth: {tokens: [{token: a, tenant: t}]}}}}}\nextensions: {admin: {auth: {tokens: [{token: a, tenant: t}]}}}',
  ],
  ['quiet that lasts as long as idling', 'processors: {fanout: {root_quiet: 1m, idle: 1m}}'],
  [
    'the largest body that there may be',
    'receivers: {otlp: {max_in_flight_size: 2GiB, protocols: {http: {max_request_body_size: 511MiB}}}}',
  ],
  [
    'the least of numbers and durations',
    'exporters: {memory: {max_groups: 1, run_ttl: 1s, max_runs_per_agent: 0}}',
  ],
  [
    'a tenant with the longest name',
    `extensions: {admin: {auth: {tokens: [{token: a, tenant: ${'t'.repeat(64)}}]}}}`,
  ],
  [
    'all addresses of IPv4, and one of IPv6',
    'receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:4000"}, grpc: {endpoint: "[::1]:4000"}}}}',
  ],
  ['a path that ends as a port would', 'exporters: {otlphttp: {endpoint: "https://u:0@a:4318/tenants/b:0"}}'],
  [
    'one port number does for several addresses',
    'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:4000"}, grpc: {endpoint: "127.0.0.2:4000"}}}}\nextensions: {admin: {endpoint: "[::1]:4000"}}',
  ],
  [
    'any port that is free is another each time',
    'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "127.0.0.1:0"}}}}',
  ],
])('%s', (_, text) => {
  expect(() => readConfig({ file: { name: 'f.yaml', text }, flags: {}, env: {} })).not.toThrow();
});

describe('tokens', () => {
  const listeners = (http: string, grpc: string, admin: string) =>
    `receivers: {otlp: {protocols: {http: {auth: ${http}}, grpc: {auth: ${grpc}}}}}\nextensions: {admin: {auth: ${admin}}}`;
  const token = (text: string, tenant?: string) =>
    `{tokens: [{token: ${text}${tenant === undefined ? '' : `, tenant: ${tenant}`}}]}`;

  test.each(['{}', '', '{tokens: []}', '{tokens: }'])('auth: %s lets nobody in by mistake', (auth) => {
    const told = mistakes(`extensions: {admin: {auth: ${auth}}}`);
    expect(told).toEqual([
      expect.stringMatching(
        /^spanplan\.yaml:1:\d+: extensions\.admin\.auth\.tokens: expected at least one token; where anyone may come in, leave auth out$/,
      ),
    ]);
  });

  test('one stands for one tenant everywhere', () => {
    const same = 'is the same';
    expect(mistakes(listeners(token('SECRET', 'a'), token('SECRET', 'b'), token('SECRET')))).toEqual([
      `spanplan.yaml:1:117: receivers.otlp.protocols.grpc.auth.tokens.0.token: expected a token of its own for each tenant; receivers.otlp.protocols.http.auth.tokens.0.token ${same}`,
      `spanplan.yaml:2:46: extensions.admin.auth.tokens.0.token: expected a token of its own for each tenant; receivers.otlp.protocols.http.auth.tokens.0.token ${same}`,
    ]);
    expect(
      mistakes(listeners('{tokens: [{token: s, tenant: a}, {token: s}]}', token('x'), token('y'))),
    ).toHaveLength(1);
    expect(mistakes(listeners(token('s', 'a'), token('s', 'a'), token('t')))).toEqual([]);
  });
});

describe('what is printed', () => {
  const secret = `
receivers: {otlp: {protocols: {http: {auth: {tokens: [{token: SECRET1, tenant: acme}]}}}}}
exporters:
  redis: {endpoint: "redis://user:SECRET2@host:6379/1?pass=SECRET3"}
  otlphttp: {endpoint: "https://u:SECRET4@h/p?key=SECRET5", headers: {authorization: "Bearer SECRET6"}}
`;

  test('masks every secret', () => {
    const printed = printConfig(config(secret));
    expect(printed).not.toContain('SECRET');
    expect(parse(printed)).toMatchObject({
      receivers: { otlp: { protocols: { http: { auth: { tokens: [{ token: '****', tenant: 'acme' }] } } } } },
      exporters: {
        redis: { endpoint: 'redis://****@host:6379/1?****' },
        otlphttp: { endpoint: 'https://****@h/****?****', headers: { authorization: '****' } },
      },
    });
  });

  test.each([
    ['redis://u:pa?SECRET@h:1', 'redis://****'],
    ['redis://u:pa/SECRET@h:1', 'redis://****@h:1'],
    ['redis://u:pa@SECRET@h:1', 'redis://****@h:1'],
    ['redis://u:pa#SECRET@h:1', 'redis://****'],
    ['redis://h:1/0?password=SEC@RET', 'redis://****'],
    ['rediss://h:1/0#SECRET', 'rediss://h:1/0?****'],
    ['redis+unix://u:SECRET@/run/redis.sock', 'redis+unix://****@/run/redis.sock'],
    ['unix:/run/a@b/redis.sock?password=SECRET', 'unix:/run/a@b/redis.sock?****'],
    ['lmdb:./a@b', 'lmdb:./a@b'],
    ['https://h:1/ingest/SECRET/v1', 'https://h:1/****'],
    ['https://h:1/', 'https://h:1/'],
    ['http://h:1', 'http://h:1'],
    ['SECRET:@h:4317', '****@h:4317'],
    ['h:4317', 'h:4317'],
  ])('%s is shown as %s', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
    expect(maskUrl(url)).not.toMatch(/SEC|RET/);
  });

  test('is a file that says the same', () => {
    const yaml =
      'receivers: {otlp: {protocols: {http: {cors: {allowed_origins: ["https://a"], max_age: 90s}}}}}\nprocessors: {fanout: {agent: planner, min_overlap: 1500ms, max_buffered_size: 1000}}';
    for (const text of ['', yaml]) expect(config(printConfig(config(text)))).toEqual(config(text));
  });
});

describe('units', () => {
  test.each([
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5KiB', 1_536],
    ['2kB', 2_000],
    ['10', 10],
    [10, 10],
    ['1e3', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['64MiBs', undefined],
    ['99999999GiB', undefined],
    [true, undefined],
  ])('the size %j', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['0', 0],
    ['7d', 604_800_000],
    ['10', undefined],
    ['s', undefined],
    ['10 s', undefined],
    ['999999h', undefined],
  ])('the duration %j', (text, millis) => expect(parseDuration(text)).toBe(millis));

  test('are read as they were written', () => {
    fc.assert(fc.property(fc.nat({ max: 10 ** 9 }), (bytes) => parseSize(formatSize(bytes)) === bytes));
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 9 }), (millis) => parseDuration(formatDuration(millis)) === millis),
    );
  });
});

test('addresses', () => {
  for (const text of ['127.0.0.1:4318', '[::1]:0', 'localhost:65535', 'my-host.example:1']) {
    const address = parseListenAddress(text);
    expect(address && formatListenAddress(address)).toBe(text);
  }
  for (const text of ['', ':4318', '4318', 'a:b', '::1:4318', '[::1]', 'http://a:1', 'a:65536', 'a b:1']) {
    expect(parseListenAddress(text)).toBeUndefined();
  }
  const own = ['127.8.8.8', 'localhost', 'LocalHost', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'];
  expect(own.filter((host) => !isLoopback(host))).toEqual([]);
  expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '127.example'].some(isLoopback)).toBe(false);
});
