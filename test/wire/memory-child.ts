import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import { PipelineSink } from './pipeline-sink.ts';
import { RecordingSink } from './recording-sink.ts';

/**
 * A receiver in a process of its own, so that its memory can be told from the test's. Says where it listens, and on
 * each message how much memory it has had at most, in bytes, and for how long its event loop stood still at most since
 * the message before, in milliseconds.
 */
const [transport, maxRequestBodySize, kind] = process.argv.slice(2);
const Receiver = transport === 'grpc' ? OtlpGrpcReceiver : OtlpHttpReceiver;
const sink = kind === 'learning' ? new PipelineSink() : new RecordingSink();
const receiver = new Receiver({
  sink,
  host: '127.0.0.1',
  port: 0,
  maxRequestBodySize: Number(maxRequestBodySize),
});

const BEAT_MILLIS = 5;
let lastBeat = performance.now();
let longestStop = 0;
setInterval(() => {
  const now = performance.now();
  longestStop = Math.max(longestStop, now - lastBeat - BEAT_MILLIS);
  lastBeat = now;
}, BEAT_MILLIS);

process.on('message', () => {
  const stopMillis = longestStop;
  longestStop = 0;
  process.send?.({ peak: process.resourceUsage().maxRSS * 1_024, held: sink.held, stopMillis });
});
process.on('disconnect', () => process.exit());
process.send?.(await receiver.listen());
