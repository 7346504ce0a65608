import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisServerOptions {
  /** Also listens on a free loopback port. */
  readonly tcp?: boolean;
  /** Keeps every write in an append-only file, so that a restart finds it. */
  readonly persistent?: boolean;
  /** Further arguments of redis-server. */
  readonly args?: readonly string[];
}

/** A real Redis (or Valkey) server of a test's own, on a unix socket in a directory of its own. */
export interface RedisServer {
  readonly url: string;
  readonly socket: string;
  /** 0 without `tcp`. */
  readonly port: number;
  /** Ends the process; `start` brings it back at the same place. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends the process as a crash does, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Stops the process from answering, its connections stay open. */
  freeze(): void;
  thaw(): void;
  /** Stops it and removes its directory. */
  dispose(): Promise<void>;
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = findServer();
  // Directly below the temporary directory: a socket's path may have about 100 bytes only.
  const directory = mkdtempSync(join(tmpdir(), 'sp-'));
  const socket = join(directory, 'r.sock');
  const port = options.tcp ? await freePort() : 0;
  const args = ['--unixsocket', socket, '--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  args.push('--save', '', '--appendonly', options.persistent ? 'yes' : 'no', '--appendfsync', 'no');
  args.push(...(options.args ?? []));
  let child: ChildProcess | undefined;

  const end = async (...signals: readonly NodeJS.Signals[]) => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exit = once(running, 'exit');
    for (const signal of signals) running.kill(signal);
    await exit;
  };
  const stop = () => end('SIGCONT', 'SIGTERM');
  const start = async () => {
    child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout?.resume();
    await answering(socket, child);
  };
  await start();
  return {
    url: `unix:${socket}`,
    socket,
    port,
    start,
    stop,
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async dispose() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const BINARIES = ['redis-server', 'valkey-server'];

/** The server from the PATH, else installed with the system's package manager where that is allowed. */
export function findServer(): string {
  const found = BINARIES.find(isInstalled);
  if (found !== undefined) return found;
  install();
  const installed = BINARIES.find(isInstalled);
  if (installed !== undefined) return installed;
  throw new Error(
    'The tests need a Redis server: none is on the PATH and it could not be installed. Install redis-server or valkey-server and run them again.',
  );
}

function isInstalled(binary: string): boolean {
  return spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0;
}

const MANAGERS: readonly (readonly [manager: string, ...commands: string[]])[] = [
  ['apt-get', 'apt-get update', 'apt-get install -y --no-install-recommends redis-server'],
  ['brew', 'brew install redis'],
  ['apk', 'apk add --no-cache redis'],
  ['dnf', 'dnf install -y valkey || dnf install -y redis'],
];

function install(): void {
  for (const [manager, ...commands] of MANAGERS) {
    if (!isInstalled(manager)) continue;
    const isRoot = process.getuid?.() === 0;
    if (!isRoot && manager !== 'brew' && spawnSync('sudo', ['-n', 'true']).status !== 0) continue;
    const prefix = isRoot || manager === 'brew' ? '' : 'sudo -n ';
    for (const command of commands) {
      const line = command.replace(/(^|\|\| )/g, `$1${prefix}`);
      console.error(`No Redis server on the PATH; running: ${line}`);
      spawnSync('sh', ['-c', line], { stdio: ['ignore', 'ignore', 'inherit'] });
    }
    return;
  }
}

async function answering(socket: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with status ${child.exitCode}`);
    if (await pings(socket)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('redis-server did not answer within 5 seconds');
}

async function pings(socket: string): Promise<boolean> {
  const connection = createConnection(socket);
  try {
    connection.write('PING\r\n');
    const [answer] = await once(connection, 'data');
    return String(answer).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
