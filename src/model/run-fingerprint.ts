import { charCode } from '../support/char-code.ts';
import type { RunRecord } from './run-record.ts';
import type { Time } from './time.ts';

/**
 * A number of 53 bits that two different forms of a run all but never share: to tell, where spans come late, whether the
 * run came out as it was before. It never leaves the process.
 */
export function fingerprintOf(run: RunRecord): number {
  const hash = new Hash();
  hash.text(run.agentId);
  hash.time(run.startedAt);
  hash.time(run.endedAt);
  hash.number(run.calls.length);
  for (const call of run.calls) {
    hash.number(call.kind === 'tool' ? 0 : 1);
    hash.text(call.name);
    hash.time(call.startedAt);
    hash.time(call.endedAt);
    hash.text(call.scope);
    hash.text(call.resource);
    hash.number(call.outputTokens);
    hash.number(call.promptTokens);
    hash.number(call.totalTokens);
    hash.number(call.toolCallCount);
    hash.text(call.modelName);
  }
  hash.number(run.minOverlapMillis);
  hash.number(run.crossResourceOverlapMillis);
  return hash.value;
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

  number(value: number | undefined): void {
    if (value === undefined) {
      this.#mix(-1);
      return;
    }
    const low = value | 0;
    this.#mix(low);
    if (low === value) return;
    this.#mix(Math.floor(value / 2 ** 32));
    this.#mix((value % 1) * 2 ** 32);
  }

  time(time: Time | undefined): void {
    this.number(time?.[0]);
    this.number(time?.[1]);
  }

  text(text: string | undefined): void {
    this.#mix(text === undefined ? -1 : text.length);
    if (text !== undefined) for (let at = 0; at < text.length; at++) this.#mix(charCode(text, at));
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x9e3779b1);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul((this.#b << 5) ^ (this.#b >>> 27) ^ value, 0x85ebca77);
  }
}
