import { once } from 'node:events';
import { type OutgoingHttpHeaders, type RequestOptions, request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Posted extends RequestOptions {
  readonly body?: Uint8Array | string | readonly (Uint8Array | string)[];
  readonly headers?: OutgoingHttpHeaders;
}

/** Posts to /v1/traces unless told otherwise. A body in several parts is sent in chunks, its length not said. */
export function post(address: BoundAddress, { body = '', ...options }: Posted = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...address, method: 'POST', path: '/v1/traces', ...options }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, body: Buffer.concat(chunks) });
    });
    sent.on('error', reject);
    if (Array.isArray(body)) {
      for (const part of body) sent.write(part);
      sent.end();
    } else sent.end(body);
  });
}

export const JSON_TYPE = { 'content-type': 'application/json' };
export const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };

/** A connection whose every byte is ours to choose. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  /** Why the connection ended, where it did not by itself. */
  error: Error | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('error', (error) => {
      this.error = error;
    });
  }

  static async open({ host, port }: BoundAddress): Promise<RawConnection> {
    const socket = createConnection({ host, port, allowHalfOpen: true });
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  /** Everything received once it holds `part`. */
  async until(part: string): Promise<string> {
    while (!this.text.includes(part)) {
      if (this.socket.readableEnded || this.socket.destroyed) {
        throw new Error(`the connection ended before "${part}" came: ${JSON.stringify(this.text)}`);
      }
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'end'), once(this.socket, 'close')]);
    }
    return this.text;
  }

  /** Everything received until the other side hung up. */
  async untilEnd(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    }
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }
}
