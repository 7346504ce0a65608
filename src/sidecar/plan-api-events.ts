import type { ServerResponse } from 'node:http';
import type { PlanChange } from '../store/plan-store.ts';
import { Problem } from './plan-api-answer.ts';

/** How often a comment is sent, so that neither side takes a quiet connection for a dead one. */
const HEARTBEAT_MILLIS = 15_000;
/** A listener with so much unread is slow enough to be sent away. */
const MAX_UNREAD_BYTES = 64 * 1_024;

/**
 * Tells listeners of changes of one agent's plan by server-sent events. What is told is that there is something new;
 * the plan itself is asked for.
 */
export class PlanEvents {
  readonly #max: number;
  readonly #listeners = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(max: number, heartbeatMillis: number = HEARTBEAT_MILLIS) {
    this.#max = max;
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis).unref();
  }

  get size(): number {
    return this.#listeners.size;
  }

  /**
   * Makes a listener of a response. It hears the present state first.
   * @param subscribe begins to listen to the store.
   * @throws Problem where there are enough listeners.
   */
  add(
    response: ServerResponse,
    agentId: string,
    revision: number | undefined,
    subscribe: (listener: (change: PlanChange) => void) => () => void,
  ): void {
    if (this.#listeners.size >= this.#max) {
      throw new Problem(
        503,
        `There are ${this.#max} listeners already, the bound.`,
        {},
        { 'retry-after': '3' },
      );
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.#listeners.add(response);
    const unsubscribe = subscribe((change) => {
      if (change.agentId === agentId) this.#send(response, eventOf(agentId, change.revision));
    });
    response.once('close', () => {
      unsubscribe();
      this.#listeners.delete(response);
    });
    this.#send(response, `retry: 2000\n${eventOf(agentId, revision)}`);
  }

  /** Sends all listeners away. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const response of this.#listeners) response.end();
    this.#listeners.clear();
  }

  #beat(): void {
    for (const response of this.#listeners) this.#send(response, ': still here\n\n');
  }

  #send(response: ServerResponse, text: string): void {
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    else response.write(text);
  }
}

function eventOf(agentId: string, revision: number | undefined): string {
  const data = { agent_id: agentId, ...(revision !== undefined && { revision }) };
  return `event: plan\ndata: ${JSON.stringify(data)}\n\n`;
}
