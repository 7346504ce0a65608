import { expect, it } from 'vitest';
import { ownPackages } from '../../src/register/own-packages.ts';

const of = (name: string) => `@opentelemetry/exporter-trace-otlp-${name}`;

it.each([
  [{}, of('http')],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, of('grpc')],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, of('proto')],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: ' grpc ', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ' ' }, of('grpc')],
  [{ OTEL_TRACES_EXPORTER: ' none ', OTEL_EXPORTER_OTLP_PROTOCOL: 'whatever' }, undefined],
])('%j exports by %s', (env, exporter) => {
  expect(ownPackages(false, env as Record<string, string>).exporter).toBe(exporter);
});

it('the API since 1.10 goes with the SDK 3.x, and the one before with those before', () => {
  expect(ownPackages(true, {}).sdk).toBe('@opentelemetry/sdk-trace');
  expect(ownPackages(false, {}).sdk).toBe('@opentelemetry/sdk-trace-base');
});
