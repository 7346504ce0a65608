import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { keepCompiled } from '../../support/keep-compiled.ts';

/**
 * The requests of each connection that are under way, and when each is over. Node does not tell the answers that wait
 * behind another one when their connection ends; this does.
 */
export class UnderWay {
  readonly #endings = new WeakMap<Duplex, Set<Ending>>();

  /**
   * @param onEnd is called once: when the answer is out, or the connection has ended.
   * @returns how many the connection has under way now.
   */
  begin(connection: Duplex, response: ServerResponse, onEnd: () => void): number {
    const endings = this.#endingsOf(connection);
    const ending = new Ending(endings, onEnd);
    endings.add(ending);
    response.once('close', ending.reach.bind(ending));
    return endings.size;
  }

  #endingsOf(connection: Duplex): Set<Ending> {
    const known = this.#endings.get(connection);
    if (known !== undefined) return known;
    const endings = new Set<Ending>();
    this.#endings.set(connection, endings);
    connection.once('close', () => {
      for (const ending of endings) ending.reach();
    });
    return endings;
  }
}

/** Of a request; reached once. */
class Ending {
  readonly #others: Set<Ending>;
  readonly #onEnd: () => void;

  constructor(others: Set<Ending>, onEnd: () => void) {
    this.#others = others;
    this.#onEnd = onEnd;
  }

  reach(): void {
    if (this.#others.delete(this)) this.#onEnd();
  }
}

keepCompiled(new Ending(new Set(), () => {}));
