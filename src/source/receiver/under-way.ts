import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The requests of each connection that are under way, and when each is over. Node does not tell the answers that wait
 * behind another one when their connection ends; this does.
 */
export class UnderWay {
  readonly #endings = new WeakMap<Duplex, Set<() => void>>();

  /**
   * @param onEnd is called once: when the answer is out, or the connection has ended.
   * @returns how many the connection has under way now.
   */
  begin(connection: Duplex, response: ServerResponse, onEnd: () => void): number {
    const endings = this.#endingsOf(connection);
    const end = () => {
      if (endings.delete(end)) onEnd();
    };
    endings.add(end);
    response.once('close', end);
    return endings.size;
  }

  #endingsOf(connection: Duplex): Set<() => void> {
    const known = this.#endings.get(connection);
    if (known !== undefined) return known;
    const endings = new Set<() => void>();
    this.#endings.set(connection, endings);
    connection.once('close', () => {
      for (const end of endings) end();
    });
    return endings;
  }
}
