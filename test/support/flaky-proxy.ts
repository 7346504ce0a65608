import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands between a client and a server's unix socket and does what networks do. */
export interface FlakyProxy {
  readonly url: string;
  /**
   * `pass` forwards; `lose-replies` lets the server execute what it is sent, then cuts the connection instead of
   * forwarding the answer; `hang` takes everything and answers nothing.
   */
  mode: 'pass' | 'lose-replies' | 'hang';
  /** How many replies were lost. */
  readonly lost: number;
  /** Sees what clients send, before it is forwarded; for switching the mode at a certain command. */
  onRequest: ((text: string) => void) | undefined;
  dispose(): Promise<void>;
}

export async function startFlakyProxy(target: string): Promise<FlakyProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'sp-'));
  const path = join(directory, 'p.sock');
  const sockets = new Set<Socket>();
  const state = {
    url: `unix:${path}`,
    mode: 'pass' as FlakyProxy['mode'],
    lost: 0,
    onRequest: undefined as FlakyProxy['onRequest'],
  };
  const server = createServer((client) => {
    const upstream = createConnection(target);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      state.onRequest?.(data.toString());
      if (state.mode !== 'hang') upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (state.mode === 'pass') client.write(data);
      if (state.mode === 'lose-replies') {
        state.lost++;
        end();
      }
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return Object.assign(state, {
    async dispose() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(directory, { recursive: true, force: true });
    },
  });
}
