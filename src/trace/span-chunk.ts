import { UNRECOGNISED } from '../model/shared-verdict.ts';
import type { SpanResource } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';

/** Stands for no slot: the end of a chain. */
export const NO_SLOT = -1;

/** What is true of a span. */
export const OPEN = 1;
export const ENDED = 2;
export const HAS_PARENT = 4;
/** Its parent is in another process. */
export const REMOTE = 8;
export const ERROR = 16;
export const OVERRIDDEN = 32;
/** Something of it stands among the objects, verdicts or call ids of its chunk; mostly nothing does, and nobody looks. */
const HAS_OBJECT = 64;
const HAS_VERDICT = 128;
const HAS_CALL_ID = 256;

export const CHUNK_BITS = 10;
const CHUNK_SIZE = 1 << CHUNK_BITS;
export const IN_CHUNK = CHUNK_SIZE - 1;

/** Cells of a slot: the halves of the span's id and of its parent's, the next slot, and what is true of the span. */
export const CELLS = 6;
export const LOW = 1;
export const PARENT_HIGH = 2;
export const PARENT_LOW = 3;
export const NEXT = 4;
export const FLAGS = 5;

/** Some slots. What is looked at together lies together, as most of it is not in the processor's cache. */
export class Chunk {
  readonly firstSlot: number;
  readonly isGone: boolean;
  readonly cells: Int32Array;
  /** Start and end, each in seconds and nanoseconds; as doubles, which hold whatever a clock may say. */
  readonly times: Float64Array;
  /** Of the spans that have none of their own among the objects. */
  #resource: SpanResource | undefined;
  /** The resource, of an open span its handle. */
  #objects: (SpanResource | object | undefined)[] | undefined;
  #verdicts: (Verdict | undefined)[] | undefined;
  #callIds: (string | undefined)[] | undefined;
  /** The first of the free places, which are chained too. */
  free = 0;
  used = 0;

  constructor(firstSlot: number, size = CHUNK_SIZE) {
    this.firstSlot = firstSlot;
    this.isGone = size === 0;
    this.cells = new Int32Array(size * CELLS);
    this.times = new Float64Array(size * 4);
    for (let at = 0; at < size; at++) this.cells[at * CELLS + NEXT] = at === size - 1 ? NO_SLOT : at + 1;
  }

  /** @returns the flag that says so. */
  holdObject(at: number, object: object): number {
    this.#objects ??= new Array(CHUNK_SIZE).fill(undefined);
    this.#objects[at] = object;
    return HAS_OBJECT;
  }

  /**
   * Notes where a span comes from, what it is, and the id of the call that it is. Most spans are of one resource and
   * nothing to us, and need no object.
   * @param before the flags that its place had.
   * @returns the flags that say what is held for it.
   */
  hold(
    at: number,
    resource: SpanResource,
    verdict: Verdict,
    callId: string | undefined,
    before: number,
  ): number {
    this.letGo(at, before);
    let flags = 0;
    this.#resource ??= resource;
    if (resource !== this.#resource) flags |= this.holdObject(at, resource);
    if (verdict !== UNRECOGNISED) {
      flags |= HAS_VERDICT;
      this.#verdicts ??= new Array(CHUNK_SIZE).fill(undefined);
      this.#verdicts[at] = verdict;
    }
    if (callId !== undefined) {
      flags |= HAS_CALL_ID;
      this.#callIds ??= new Array(CHUNK_SIZE).fill(undefined);
      this.#callIds[at] = callId;
    }
    return flags;
  }

  /** Holds nothing any longer for a place with these flags. */
  letGo(at: number, flags: number): void {
    if ((flags & HAS_OBJECT) !== 0 && this.#objects !== undefined) this.#objects[at] = undefined;
    if ((flags & HAS_VERDICT) !== 0 && this.#verdicts !== undefined) this.#verdicts[at] = undefined;
    if ((flags & HAS_CALL_ID) !== 0 && this.#callIds !== undefined) this.#callIds[at] = undefined;
  }

  /** For when it is empty: what comes next may be of another resource. */
  forgetResource(): void {
    this.#resource = undefined;
  }

  objectAt(at: number): object | undefined {
    return this.#objects?.[at];
  }

  resourceAt(at: number, flags: number): SpanResource {
    return ((flags & HAS_OBJECT) === 0 ? this.#resource : this.#objects?.[at]) as SpanResource;
  }

  verdictAt(at: number): Verdict {
    return this.#verdicts?.[at] ?? UNRECOGNISED;
  }

  callIdAt(at: number): string | undefined {
    return this.#callIds?.[at];
  }
}
