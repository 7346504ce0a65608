import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP relay that keeps what went through it, so that a test sees what an exporter really sent. */
export interface WireTap {
  /** HOST:PORT to send to. */
  readonly address: string;
  /** All bytes sent so far, as latin1. */
  sent(): string;
}

/** Relays to HOST:PORT until the test is over. */
export async function wireTap(target: string): Promise<WireTap> {
  const { hostname, port } = new URL(`http://${target}`);
  const chunks: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(upstream).pipe(client);
    // One side's abrupt end is the other's; the exporter's own status says whether that mattered.
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port: bound } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${bound}`, sent: () => Buffer.concat(chunks).toString('latin1') };
}
