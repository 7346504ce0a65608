import { z } from 'zod';
import { parseListenAddress } from './config-address.ts';
import { field, list, optionalSection, REQUIRED, section } from './config-field.ts';

const tokens = list(
  section({
    token: field.secret('a token of visible characters without spaces', REQUIRED, (text) =>
      /^[\x21-\x7e]+$/.test(text),
    ),
    /** Whose plans the token reads and writes; none for the plans of no tenant. */
    tenant: field.text('a name of 1 to 64 bytes', undefined, isTenant),
  }),
  'entries like {token: TEXT, tenant: NAME}',
  'at least one token; where anyone may come in, leave auth out',
);

const listenerTls = optionalSection({
  cert_file: field.text('a file with a certificate in PEM', REQUIRED),
  key_file: field.text('a file with a private key in PEM', REQUIRED),
  /** With it, clients must show a certificate of this authority. */
  client_ca_file: field.text('a file with certificates in PEM', undefined),
});

const auth = optionalSection({ tokens });

const listener = (endpoint: string) => ({
  endpoint: field.text(
    'HOST:PORT, for instance 127.0.0.1:4318',
    endpoint,
    (text) => parseListenAddress(text) !== undefined,
  ),
  tls: listenerTls,
  auth,
});

const receiver = (endpoint: string) => ({
  ...listener(endpoint),
  max_request_body_size: field.size(64 * 2 ** 20),
  max_connections: field.count(1_024),
});

const storeLimits = {
  max_groups: field.count(512),
  max_plan_size: field.size(2 ** 20),
  max_agents: field.count(10_000),
  max_runs_per_agent: field.count(100, 0),
  run_ttl: field.duration(7 * 86_400_000, 1_000),
  applied_run_ttl: field.duration(7 * 86_400_000, 1_000),
  max_applied_runs: field.count(10_000),
};

const destination = {
  headers: z.preprocess(
    (value) => value ?? {},
    z.record(
      z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'expected the name of a header' }),
      field.secret('the text of a header', REQUIRED, (text) => /^[\t\x20-\x7e]*$/.test(text)),
      { error: 'expected names of headers with their texts' },
    ),
  ),
  timeout: field.duration(10_000),
  tls: section({
    insecure_skip_verify: field.flag(false),
    ca_file: field.text('a file with certificates in PEM', undefined),
    cert_file: field.text('a file with a certificate in PEM', undefined),
    key_file: field.text('a file with a private key in PEM', undefined),
    /** gRPC to an endpoint without a scheme: no TLS. */
    insecure: field.flag(false),
  }),
  /** The sender gets the destination's own answer. */
  sync: field.flag(false),
  sending_queue: section({
    queue_size: field.size(64 * 2 ** 20),
    num_consumers: field.count(10),
    /** A directory where requests rest until they are delivered. */
    storage: field.text('the path of a directory', undefined),
  }),
  retry_on_failure: section({
    initial_interval: field.duration(1_000),
    max_interval: field.duration(30_000),
    max_elapsed_time: field.duration(300_000),
  }),
};

/** Each value of the configuration by itself: its key, what it takes, and what it is when it is not given. */
export const sections = section({
  receivers: section({
    otlp: section({
      protocols: z.preprocess(
        // As in the Collector: those that are listed are on. With nothing listed both are.
        (value) => value ?? { http: null, grpc: null },
        section({
          http: optionalSection({
            ...receiver('127.0.0.1:4318'),
            cors: optionalSection({
              allowed_origins: list(
                field.text('an origin in full, for instance https://app.example', REQUIRED, isOrigin),
                'origins',
              ),
              allowed_headers: list(field.text('the name of a header', REQUIRED), 'names of headers'),
              max_age: field.duration(0, 0),
            }),
          }),
          grpc: optionalSection(receiver('127.0.0.1:4317')),
        }),
      ),
      /** Bytes of requests, inflated, that are worked on at the same time; past them senders are asked to come again. */
      max_in_flight_size: field.size(256 * 2 ** 20),
    }),
  }),
  processors: section({
    fanout: section({
      cohorts: field.choice(['every', 'maximal'], 'every'),
      run: field.choice(['agent', 'trace'], 'agent'),
      agent: field.text("an agent's name", undefined),
      min_overlap: field.duration(2, 0),
      cross_resource_overlap: field.duration(50, 0),
      root_quiet: field.duration(2_000),
      remote_root_quiet: field.duration(10_000),
      idle: field.duration(300_000),
      late: field.duration(3_600_000),
      max_trace_age: field.duration(6 * 3_600_000),
      max_spans_per_trace: field.count(20_000),
      /** The bounds below are those of all tenants together; each has the same share. */
      max_buffered_traces: field.count(50_000),
      max_buffered_size: field.size(64 * 2 ** 20),
      max_queued_runs: field.count(10_000),
      max_queued_size: field.size(32 * 2 ** 20),
    }),
  }),
  exporters: z.preprocess(
    withStore,
    section({
      lmdb: optionalSection({ path: field.text('the path of a directory', './.spanplan'), ...storeLimits }),
      redis: optionalSection({
        endpoint: field.url(
          'redis://HOST:PORT, rediss://HOST:PORT or unix:PATH',
          'redis://127.0.0.1:6379',
          isRedisUrl,
        ),
        key_prefix: field.text('text that begins all keys', 'spanplan:'),
        hash_tags: field.flag(false),
        ...storeLimits,
      }),
      memory: optionalSection(storeLimits),
      otlphttp: optionalSection({
        endpoint: field.url('http://HOST:PORT or https://HOST:PORT', REQUIRED, isHttpUrl),
        compression: field.choice(['none', 'gzip'], 'none'),
        ...destination,
      }),
      otlp: optionalSection({
        endpoint: field.url('HOST:PORT, http://HOST:PORT or https://HOST:PORT', REQUIRED, isGrpcEndpoint),
        compression: field.choice(['none', 'gzip'], 'none'),
        ...destination,
      }),
    }),
  ),
  extensions: section({
    /** Where plans are asked for, and how the sidecar is. */
    admin: section({
      ...listener('127.0.0.1:4319'),
      /** Of all tenants together; each has the same share. */
      max_listeners: field.count(100),
      /** Names under which it is reached without TLS and token, beside those that mean this machine. */
      allowed_hosts: list(
        field.text('the name of a host, without a port', REQUIRED, isHostName),
        'names of hosts',
      ),
    }),
  }),
  service: section({
    shutdown_timeout: field.duration(10_000),
    telemetry: section({
      logs: section({
        level: field.choice(['debug', 'info', 'warn', 'error'], 'info'),
        /** Not given: `console` on a terminal, else `json`. */
        encoding: field.choice(['json', 'console'], undefined),
      }),
    }),
  }),
});

/** The places where plans may be kept. */
export const STORES = ['lmdb', 'redis', 'memory'] as const;

/** Where no place for plans is given, they are kept in a directory. */
function withStore(exporters: unknown): unknown {
  if (exporters === undefined || exporters === null) return { lmdb: {} };
  if (typeof exporters !== 'object' || STORES.some((name) => name in exporters)) return exporters;
  return { ...exporters, lmdb: {} };
}

/** Names of tenants go into keys and file names, percent-encoded: at most three times as long. */
function isTenant(text: string): boolean {
  return text.trim() !== '' && !/\p{Cs}/u.test(text) && Buffer.byteLength(text) <= 64;
}

function isHostName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/i.test(text);
}

/** As browsers send it: no path, and nothing that stands for several. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function isRedisUrl(text: string): boolean {
  return /^(?:rediss?:\/\/|(?:redis\+)?unix:.)/i.test(text);
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function isGrpcEndpoint(text: string): boolean {
  return isHttpUrl(text) || (!text.includes('/') && URL.canParse(`http://${text}`));
}
