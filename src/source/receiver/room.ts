import type { OtlpSink, RequestOwner } from '../otlp-sink.ts';
import { Refusal } from './refusal.ts';

/** The memory one request was given by the sink, taken step by step as its body comes in, and given back as one. */
export class Room {
  readonly #sink: Pick<OtlpSink, 'admit'>;
  readonly #request: RequestOwner;
  readonly #releases: (() => void)[] = [];

  constructor(sink: Pick<OtlpSink, 'admit'>, request: RequestOwner) {
    this.#sink = sink;
    this.#request = request;
  }

  /** @throws Refusal where there is no more. */
  take(bytes: number): void {
    const release = this.#sink.admit(bytes, this.#request);
    if (release === undefined) throw Refusal.full();
    this.#releases.push(release);
  }

  giveBack(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}
