import type { Server } from 'node:net';
import { errorCode } from '../../support/error-code.ts';
import type { BoundAddress } from './receiver-options.ts';

/**
 * Makes a server listen.
 * @throws Error with a sentence that says what to do.
 */
export async function listen(server: Server, host: string, port: number): Promise<BoundAddress> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error) => reject(listenErrorOf(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error(`${host} is no address of a network`);
  return { host: address.address, port: address.port };
}

function listenErrorOf(error: Error, host: string, port: number): Error {
  const code = errorCode(error) ?? 'unknown error';
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const reason = REASONS[code] ?? 'give another address or port';
  return new Error(`cannot listen on ${place} (${code}): ${reason}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has taken the port; stop it, or give another port',
  EACCES: 'this user may not take the port; give one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; give one of its own, such as 127.0.0.1',
  ENOTFOUND: 'there is no host of this name; give an address, such as 127.0.0.1',
};
