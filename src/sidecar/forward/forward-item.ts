import type { OtlpRequest, OtlpSignal } from '../../source/receiver/otlp-sink.ts';
import type { DurableEntry, DurableQueue } from './durable-queue.ts';

/** One request on its way, wherever it rests meanwhile. */
export interface ForwardItem {
  readonly isDurable: boolean;
  /** What it counts for in the queue. */
  readonly bytes: number;
  readonly signal: OtlpSignal | undefined;
  load(): OtlpRequest | 'gone' | 'damaged';
  /** Called when it is of no more use. */
  forget(): void;
}

export const forwardItem = {
  inMemory(request: OtlpRequest): ForwardItem {
    const { signal } = request;
    return { isDurable: false, bytes: sizeOf(request), signal, load: () => request, forget: () => {} };
  },

  /** Takes no more memory than its key, until it is loaded. */
  onDisk(disk: DurableQueue, { key, bytes }: DurableEntry): ForwardItem {
    const load = () => disk.read(key);
    return { isDurable: true, bytes, signal: undefined, load, forget: () => disk.remove(key) };
  },
};

/** What an item costs beside its body and header fields, roughly. */
const ITEM_BYTES = 512;

function sizeOf({ body, headers }: OtlpRequest): number {
  let size = ITEM_BYTES + body.length;
  for (const [name, value] of Object.entries(headers)) size += name.length + String(value).length;
  return size;
}
