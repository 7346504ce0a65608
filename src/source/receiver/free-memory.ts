import { MessageChannel } from 'node:worker_threads';

/** To free less than this costs more than to leave it to the collector of garbage. */
const MIN_BYTES = 4_096;

/**
 * Gives memory back to the system's allocator at once. Node makes new memory for each piece of a body; until the
 * collector of garbage finds it, it counts against the heap, all of which is looked at so that much more often.
 *
 * @param bytes empty from then on; nobody may need them any more. Left as they are where they are a part of other memory.
 */
export function freeMemory(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < MIN_BYTES || byteLength !== buffer.byteLength) return;
  nowhere.postMessage(undefined, [buffer as ArrayBuffer]);
}

/** What is transferred to a port that is closed belongs to nobody (HTML, 9.4.4: the message is made, then dropped). */
const nowhere = new MessageChannel().port1;
nowhere.close();
