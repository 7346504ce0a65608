import type { ServerResponse } from 'node:http';
import type { PlanChange } from '../../store/plan-store.ts';
import { Problem } from './plan-api-answer.ts';

/** How often a comment is sent, so that neither side takes a quiet connection for a dead one. */
const HEARTBEAT_MILLIS = 15_000;
/** A listener with so much unread is slow enough to be sent away. */
const MAX_UNREAD_BYTES = 64 * 1_024;

/** What there is to tell of one agent's plan. */
export interface PlanNews {
  readonly agentId: string;
  /** Whose plan it is; each has the same number of listeners. */
  readonly tenant: object;
  /** How it stands; undefined where there is none. */
  revision(): Promise<number | undefined>;
  /** Begins to listen to the store, for any agent; returns what ends that. */
  subscribe(listener: (change: PlanChange) => void): () => void;
}

/**
 * Tells listeners of changes of one agent's plan by server-sent events. What is told is that there is something new;
 * the plan itself is asked for. Who listens to a store may miss a change, so with each heartbeat it is looked up too.
 */
export class PlanEvents {
  readonly #max: number;
  readonly #listeners = new Set<Listener>();
  readonly #heartbeat: NodeJS.Timeout;

  /** @param max listeners of one tenant. */
  constructor(max: number, heartbeatMillis: number = HEARTBEAT_MILLIS) {
    this.#max = max;
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis).unref();
  }

  get size(): number {
    return this.#listeners.size;
  }

  /**
   * Makes a listener of a response. It hears the present state first, then all that changed since that was looked up.
   * @throws Problem where there are enough listeners, and what `news.revision` throws; nothing is sent then.
   */
  async add(response: ServerResponse, news: PlanNews): Promise<void> {
    if ([...this.#listeners].filter(({ tenant }) => tenant === news.tenant).length >= this.#max) {
      const detail = `No more than ${this.#max} can listen at the same time.`;
      throw new Problem(503, detail, {}, { 'retry-after': '3' });
    }
    const listener = new Listener(response, news);
    this.#listeners.add(listener);
    const leave = () => {
      listener.leave();
      this.#listeners.delete(listener);
    };
    response.once('close', leave);
    try {
      await listener.begin();
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Sends all listeners away. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  #beat(): void {
    for (const listener of this.#listeners) listener.beat();
  }
}

class Listener {
  readonly #response: ServerResponse;
  readonly #news: PlanNews;
  readonly leave: () => void;
  /** The newest that was told; undefined until the state was. */
  #told: { readonly revision: number | undefined } | undefined;
  /** What came before the state was told. */
  #early: PlanChange | undefined;

  constructor(response: ServerResponse, news: PlanNews) {
    this.#response = response;
    this.#news = news;
    // Before the state is looked up, so that no change falls between.
    this.leave = news.subscribe((change) => this.#hear(change));
  }

  get tenant(): object {
    return this.#news.tenant;
  }

  async begin(): Promise<void> {
    const revision = await this.#news.revision();
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.#send('retry: 2000\n');
    this.#tell(revision);
    if (this.#early !== undefined) this.#hear(this.#early);
  }

  beat(): void {
    if (this.#told === undefined) return;
    this.#send(': still here\n\n');
    const { agentId } = this.#news;
    this.#news.revision().then(
      (revision) => this.#hear({ agentId, revision: revision ?? 0 }),
      () => {}, // whoever asks for the plan is told
    );
  }

  end(): void {
    this.leave();
    this.#response.end();
  }

  #hear(change: PlanChange): void {
    if (change.agentId !== this.#news.agentId) return;
    if (this.#told === undefined) this.#early = change;
    else if (change.revision === undefined || change.revision > (this.#told.revision ?? 0)) {
      this.#tell(change.revision);
    }
  }

  #tell(revision: number | undefined): void {
    const data = { agent_id: this.#news.agentId, ...(revision !== undefined && { revision }) };
    this.#told = { revision };
    this.#send(`event: plan\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #send(text: string): void {
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#response.destroy();
    else if (!this.#response.writableEnded) this.#response.write(text);
  }
}
