import type { OtlpHttpReceiverOptions } from '../source/receiver/otlp-http.ts';
import type { OtlpSink } from '../source/receiver/otlp-sink.ts';
import type { ReceiverOptions } from '../source/receiver/receiver-options.ts';
import type { ListenAddress } from './config/config-address.ts';
import type { SidecarConfig } from './config/config-schema.ts';
import { addressOf, tlsOf, tokensOf } from './listener-options.ts';
import type { AnswerCounts } from './sidecar-readings.ts';

/** What both receivers can do. */
export interface Receiver {
  listen(): Promise<ListenAddress>;
  stopAccepting(): void;
  close(timeoutMillis: number): Promise<void>;
}

type Protocols = SidecarConfig['receivers']['otlp']['protocols'];

/** Makes the receivers that are configured, by name; loads no other. They do not listen yet. */
export async function createReceivers(
  { receivers }: SidecarConfig,
  sink: OtlpSink,
  answers: AnswerCounts,
): Promise<ReadonlyMap<string, Receiver>> {
  const { http, grpc } = receivers.otlp.protocols;
  const created = new Map<string, Receiver>();
  if (http !== undefined) {
    const { OtlpHttpReceiver } = await import('../source/receiver/otlp-http.ts');
    created.set('http', new OtlpHttpReceiver({ ...optionsOf('http', http, sink, answers), ...corsOf(http) }));
  }
  if (grpc !== undefined) {
    const { OtlpGrpcReceiver } = await import('../source/receiver/otlp-grpc.ts');
    created.set('grpc', new OtlpGrpcReceiver(optionsOf('grpc', grpc, sink, answers)));
  }
  return created;
}

function optionsOf(
  name: 'http' | 'grpc',
  protocol: NonNullable<Protocols['http' | 'grpc']>,
  sink: OtlpSink,
  answers: AnswerCounts,
): ReceiverOptions {
  const tls = tlsOf(protocol, `OTLP/${name}`);
  return {
    sink,
    ...addressOf(protocol),
    ...(tls && { tls }),
    auth: { tokens: tokensOf(protocol) },
    maxRequestBodySize: protocol.max_request_body_size,
    maxConnections: protocol.max_connections,
    onAnswer: (answer) => answers.count(answer),
  };
}

function corsOf({ cors }: NonNullable<Protocols['http']>): Pick<OtlpHttpReceiverOptions, 'cors'> {
  if (cors === undefined) return {};
  const maxAgeSeconds = Math.ceil(cors.max_age / 1_000);
  return {
    cors: {
      allowedOrigins: cors.allowed_origins,
      allowedHeaders: cors.allowed_headers,
      ...(maxAgeSeconds > 0 && { maxAgeSeconds }),
    },
  };
}
