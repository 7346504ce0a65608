import { register } from 'node:module';
import { startBareGrpc, startBareHttp } from './bare-servers.ts';
import { BufferingSink } from './buffering-sink.ts';
import { decoded } from './protobufjs-decoder.ts';
import type { ServerKind, ServerReport } from './server-process.ts';

/** One server that takes spans, in a process of its own, which tells what its work cost. */
const sink = new BufferingSink();
let requests = 0;
const answered = () => void requests++;
const address = { host: '127.0.0.1', port: 0 };

const SERVERS: Readonly<Record<ServerKind, () => Promise<number>>> = {
  async 'spanplan-http'() {
    const { OtlpHttpReceiver } = await import('../src/source/receiver/otlp-http.ts');
    return (await new OtlpHttpReceiver({ sink, ...address, onAnswer: answered }).listen()).port;
  },
  async 'protobufjs-http'() {
    register('./swap-decoder.js', import.meta.url);
    return SERVERS['spanplan-http']();
  },
  'bare-http': () => startBareHttp(answered),
  async 'spanplan-grpc'() {
    const { OtlpGrpcReceiver } = await import('../src/source/receiver/otlp-grpc.ts');
    return (await new OtlpGrpcReceiver({ sink, ...address, onAnswer: answered }).listen()).port;
  },
  async 'protobufjs-grpc'() {
    const { startGrpcJs } = await import('./grpc-js-server.ts');
    return startGrpcJs(sink, answered);
  },
  'bare-grpc': () => startBareGrpc(answered),
};

let before = process.cpuUsage();
const kind = process.argv[2] as ServerKind;
const port = await SERVERS[kind]();
process.on('message', (message) => {
  if (message === 'begin') {
    // What is new only: to collect everything while nothing is under way drops the code compiled for it, as of a server
    // that works it never does, and each turn would begin with compiling.
    globalThis.gc?.({ type: 'minor' });
    requests = 0;
    before = process.cpuUsage();
    process.send?.('begun');
  } else {
    const { user, system } = process.cpuUsage(before);
    void report(user + system).then((said) => process.send?.(said));
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.(port);

/** What was buffered is finished only after the cost was told. */
async function report(cost: number): Promise<ServerReport> {
  const spans = await sink.empty();
  if (kind === 'protobufjs-http' && decoded.spans !== sink.pipeline.account.received) {
    throw new Error('the receiver did not use the decoder that it was given');
  }
  return { cost, requests, spans };
}
