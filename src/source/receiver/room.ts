import type { BodyMemory } from './body-memory.ts';
import type { OtlpSink, RequestOwner } from './otlp-sink.ts';
import { Refusal } from './refusal.ts';

type RoomGiver = Pick<OtlpSink, 'admit' | 'ignoresBodies'>;

/** The memory one request was given by the sink, taken step by step as its body comes in, and given back as one. */
export class Room {
  readonly #sink: RoomGiver;
  readonly #request: RequestOwner;
  readonly #memory: BodyMemory | undefined;
  readonly #releases: (() => void)[] = [];
  readonly #blocks: Buffer[] = [];

  /** @param memory for the body; it is used only where the sink ignores bodies. */
  constructor(sink: RoomGiver, request: RequestOwner, memory?: BodyMemory) {
    this.#sink = sink;
    this.#request = request;
    this.#memory = sink.ignoresBodies === true ? memory : undefined;
  }

  /** @throws Refusal where there is no more. */
  take(bytes: number): void {
    const release = this.#sink.admit(bytes, this.#request);
    if (release === undefined) throw Refusal.full();
    this.#releases.push(release);
  }

  /** Calls `release` when the room is given back. */
  whenGivenBack(release: () => void): void {
    this.#releases.push(release);
  }

  /**
   * A block of memory of so many bytes or more, of which only what was taken may be used; undefined where there is none
   * so large, or the body may outlive the request.
   */
  block(bytes: number): Buffer | undefined {
    const block = this.#memory?.take(bytes);
    if (block !== undefined) this.#blocks.push(block);
    return block;
  }

  giveBack(): void {
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) release();
    for (let block = this.#blocks.pop(); block; block = this.#blocks.pop()) this.#memory?.giveBack(block);
  }
}
