import { lookAhead, type SdkSpan } from './sdk-span.ts';

/** Takes the spans of an SDK, in the order in which they started and ended. Must not throw. */
export interface SdkSpanSink {
  /** A batch follows. */
  begin(): void;
  /** Not told of a span that ends before anything else happens; its end tells of it. */
  started(span: SdkSpan, now: number): void;
  ended(span: SdkSpan, now: number): void;
}

/**
 * Puts off what there is to do about spans until the application's turn of the event loop is over, so that starting and
 * ending one costs it next to nothing. A burst is taken in as it grows: nothing is dropped, and little is held.
 */
export class SdkSpanQueue {
  readonly #sink: SdkSpanSink;
  readonly #now: () => number;
  #events = new Events();
  /** What was handed over last, to be filled again. */
  #spare: Events | undefined = new Events();
  #isScheduled = false;

  constructor(sink: SdkSpanSink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
  }

  start(span: SdkSpan): void {
    this.#push(span, false);
  }

  end(span: SdkSpan): void {
    // Where nothing came between, nothing was decided while the span was open: to hear of its end is enough.
    if (!this.#events.endAtOnce(span)) this.#push(span, true);
  }

  /** Hands over all there is. */
  drain(): void {
    if (this.#events.size === 0) return;
    const events = this.#events;
    // Whatever the sink calls may start and end spans of its own; these come after.
    this.#events = this.#spare ?? new Events();
    this.#spare = undefined;
    const now = this.#now();
    this.#sink.begin();
    for (let at = 0; at < events.size; at++) {
      if (at % LOOK_AHEAD === 0) events.lookAhead(at);
      const span = events.spans[at];
      if (span === undefined) continue;
      if (events.isEnd[at] === 1) this.#sink.ended(span, now);
      else this.#sink.started(span, now);
    }
    events.clear();
    this.#spare = events;
  }

  #push(span: SdkSpan, isEnd: boolean): void {
    const events = this.#events;
    events.add(span, isEnd);
    if (events.size === MAX_EVENTS) this.drain();
    else if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.drain();
    }).unref();
  }
}

/** So many starts and ends are held at most; to take them in is about a millisecond's work. */
const MAX_EVENTS = 1_024;

/** How many spans are brought into the processor's cache at a time. */
const LOOK_AHEAD = 16;

class Events {
  readonly spans: (SdkSpan | undefined)[] = new Array(MAX_EVENTS).fill(undefined);
  readonly isEnd = new Uint8Array(MAX_EVENTS);
  size = 0;
  #seen = 0;

  add(span: SdkSpan, isEnd: boolean): void {
    this.spans[this.size] = span;
    this.isEnd[this.size] = isEnd ? 1 : 0;
    this.size++;
  }

  /** Makes one event of the span's start and end where the start was the last. */
  endAtOnce(span: SdkSpan): boolean {
    const last = this.size - 1;
    if (last < 0 || this.spans[last] !== span || this.isEnd[last] === 1) return false;
    this.isEnd[last] = 1;
    return true;
  }

  /** Sees to it that what comes next is at hand. Spans may be foreign objects, which throw where they are looked at. */
  lookAhead(from: number): void {
    try {
      this.#seen ^= lookAhead(this.spans, from, Math.min(from + LOOK_AHEAD, this.size));
    } catch {
      // Whoever reads such a span will find out.
    }
  }

  /** Lets go of the spans, which are the application's. */
  clear(): void {
    this.spans.fill(undefined, 0, this.size);
    this.size = 0;
  }
}
