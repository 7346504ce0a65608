import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';

const CHILD = fileURLToPath(new URL('memory-child.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

interface MemoryReading {
  /** The most memory it has had, in bytes. */
  readonly peak: number;
  /** Bytes of the sink's room that are taken. */
  readonly held: number;
  /** For how long its event loop stood still at most since it was last asked. */
  readonly stopMillis: number;
}

/** A receiver in a process of its own, until the test is over. */
export interface MemoryProcess {
  readonly address: BoundAddress;
  read(): Promise<MemoryReading>;
}

export interface MemorySetting {
  readonly transport: 'http' | 'grpc';
  /** Of bodies, in bytes. */
  readonly limit: number;
  /** What stands behind the receiver: a sink that keeps everything, or one that learns. */
  readonly sink?: 'recording' | 'learning';
  /** Of Node's heap. */
  readonly heapMiB?: number;
}

export async function startMemoryProcess(setting: MemorySetting): Promise<MemoryProcess> {
  const { transport, limit, sink = 'recording', heapMiB } = setting;
  const heap = heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`];
  const child = spawn(process.execPath, [...heap, '--import', TSX, CHILD, transport, String(limit), sink], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [address] = await once(child, 'message');
  return {
    address: address as BoundAddress,
    async read() {
      child.send('read');
      const [reading] = await once(child, 'message');
      return reading as MemoryReading;
    },
  };
}
