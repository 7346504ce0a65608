import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import { RecordingSink } from '../wire/recording-sink.ts';

/**
 * A receiver in a process of its own, so that its memory can be told from the test's. It takes a while to answer, as one
 * that waits for an upstream; senders then have so long to read the answer. Says where it listens, and on each message
 * what it holds.
 */
const [transport, answerAfterMillis, answerTimeoutMillis, answerBytes] = process.argv.slice(2);
const Receiver = transport === 'grpc' ? OtlpGrpcReceiver : OtlpHttpReceiver;

const sink = new RecordingSink();
const answer = { status: 200, retryAfterSeconds: undefined, body: Buffer.alloc(Number(answerBytes)) };
sink.accept = () => sleep(Number(answerAfterMillis), answer);
const options = { sink, host: '127.0.0.1', port: 0, answerTimeoutMillis: Number(answerTimeoutMillis) };
let answered = 0;
const receiver = new Receiver({ ...options, onAnswer: () => answered++ });

process.on('message', () => {
  const peak = process.resourceUsage().maxRSS * 1_024;
  process.send?.({ peak, held: sink.held, answered });
});
process.on('disconnect', () => process.exit());
process.send?.(await receiver.listen());
