import { OtlpGrpcReceiver } from '../../src/source/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/otlp-http.ts';
import { RecordingSink } from './recording-sink.ts';

/**
 * A receiver in a process of its own, so that its memory can be told from the test's. Says where it listens, and on
 * each message how much memory it has had at most, in bytes.
 */
const [transport, maxRequestBodySize] = process.argv.slice(2);
const Receiver = transport === 'grpc' ? OtlpGrpcReceiver : OtlpHttpReceiver;
const sink = new RecordingSink();
const receiver = new Receiver({
  sink,
  host: '127.0.0.1',
  port: 0,
  maxRequestBodySize: Number(maxRequestBodySize),
});

process.on('message', () => {
  process.send?.({ peak: process.resourceUsage().maxRSS * 1_024, held: sink.held });
});
process.on('disconnect', () => process.exit());
process.send?.(await receiver.listen());
