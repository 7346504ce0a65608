import { charCode } from '../support/char-code.ts';
import type { CallRecord, RunRecord } from './run-record.ts';
import type { Time } from './time.ts';

/**
 * A number of 53 bits that two different forms of a run all but never share: to tell, where spans come late, whether the
 * run came out as it was before. It never leaves the process.
 */
export function fingerprintOf(run: RunRecord): number {
  const hash = new Hash();
  hash.text(run.agentId);
  hash.time(run.startedAt);
  hash.number(run.endedAt === undefined ? 0 : 1);
  if (run.endedAt !== undefined) hash.time(run.endedAt);
  hash.number(run.calls.length);
  for (const call of run.calls) {
    // What a call lacks, which is most of what it may have, costs nothing beyond its bit.
    hash.number(fieldsOf(call));
    hash.text(call.name);
    hash.time(call.startedAt);
    if (call.endedAt !== undefined) hash.time(call.endedAt);
    if (call.scope !== undefined) hash.text(call.scope);
    if (call.resource !== undefined) hash.text(call.resource);
    if (call.outputTokens !== undefined) hash.number(call.outputTokens);
    if (call.promptTokens !== undefined) hash.number(call.promptTokens);
    if (call.totalTokens !== undefined) hash.number(call.totalTokens);
    if (call.toolCallCount !== undefined) hash.number(call.toolCallCount);
    if (call.modelName !== undefined) hash.text(call.modelName);
  }
  hash.number(run.minOverlapMillis ?? -1);
  hash.number(run.crossResourceOverlapMillis ?? -1);
  return hash.value;
}

/** Its kind, and which of the fields it has that a call may lack: a bit each. */
function fieldsOf(call: CallRecord): number {
  return (
    (call.kind === 'tool' ? 1 : 0) |
    (call.endedAt === undefined ? 0 : 2) |
    (call.scope === undefined ? 0 : 4) |
    (call.resource === undefined ? 0 : 8) |
    (call.outputTokens === undefined ? 0 : 16) |
    (call.promptTokens === undefined ? 0 : 32) |
    (call.totalTokens === undefined ? 0 : 64) |
    (call.toolCallCount === undefined ? 0 : 128) |
    (call.modelName === undefined ? 0 : 256)
  );
}

/** Two multiplicative hashes side by side; each field says how long it is, so that none runs into the next. */
class Hash {
  #a = 0x243f6a88;
  #b = 0x13198a2e;

  get value(): number {
    const a = this.#a ^ (this.#a >>> 15);
    const b = this.#b ^ (this.#b >>> 13);
    return (a >>> 0) * 2 ** 21 + (b >>> 11);
  }

  number(value: number): void {
    const low = value | 0;
    this.#mix(low);
    if (low === value) return;
    this.#mix(Math.floor(value / 2 ** 32));
    this.#mix((value % 1) * 2 ** 32);
  }

  time(time: Time): void {
    this.number(time[0]);
    this.number(time[1]);
  }

  text(text: string): void {
    this.#mix(text.length);
    for (let at = 0; at < text.length; at++) this.#mix(charCode(text, at));
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x9e3779b1);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul((this.#b << 5) ^ (this.#b >>> 27) ^ value, 0x85ebca77);
  }
}
