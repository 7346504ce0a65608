import { promisify } from 'node:util';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import type { Span } from '../src/model/span.ts';
import type { BufferingSink } from './buffering-sink.ts';
import { recordsByProtobufjs } from './records-by-protobufjs.ts';

/** The trace service as one writes it with grpc-js, with messages read by protobufjs. */
export async function startGrpcJs(sink: BufferingSink, answered: () => void): Promise<number> {
  const server = new Server();
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestDeserialize: (bytes: Buffer) => recordsByProtobufjs(bytes, sink.wants),
        requestSerialize: () => Buffer.alloc(0),
        responseSerialize: () => Buffer.alloc(0),
        responseDeserialize: () => ({}),
      },
    },
    {
      Export({ request }: ServerUnaryCall<Span[], object>, respond: sendUnaryData<object>) {
        sink.pipeline.consume(request);
        answered();
        respond(null, {});
      },
    },
  );
  const bind = promisify(server.bindAsync.bind(server));
  return bind('127.0.0.1:0', ServerCredentials.createInsecure());
}
