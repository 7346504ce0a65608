/** The packages that a provider of our own is made of; all are the application's, none is ours. */
export interface OwnPackages {
  readonly sdk: string;
  /** None where nothing is to be exported. */
  readonly exporter?: string;
}

/**
 * Which packages the environment, and the version of the API, ask for. The API from 1.10 on (which brought `logs`) admits
 * the SDK 3.x only, and the API before it admits 1.x and 2.x only; their packages have different names.
 * @throws RangeError that names the variable.
 */
export function ownPackages(
  hasLogs: boolean,
  env: Readonly<Record<string, string | undefined>>,
): OwnPackages {
  const sdk = hasLogs ? '@opentelemetry/sdk-trace' : '@opentelemetry/sdk-trace-base';
  if (env.OTEL_TRACES_EXPORTER?.trim() === 'none') return { sdk };
  const name =
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find((key) => env[key]?.trim()) ??
    '';
  const exporter = EXPORTERS.get(env[name]?.trim() || DEFAULT_PROTOCOL);
  if (exporter === undefined) throw new RangeError(`${name} must be ${[...EXPORTERS.keys()].join(' or ')}`);
  return { sdk, exporter };
}

/** That of the one exporter that spanplan names as an optional peer. */
const DEFAULT_PROTOCOL = 'http/json';

const EXPORTERS = new Map([
  ['http/json', '@opentelemetry/exporter-trace-otlp-http'],
  ['http/protobuf', '@opentelemetry/exporter-trace-otlp-proto'],
  ['grpc', '@opentelemetry/exporter-trace-otlp-grpc'],
]);
