import { ConnectionEnded, HttpSocket, type RawResponse } from '../support/http-socket.ts';
import type { Period } from './restrictions.ts';

/** ms after which an unused connection is replaced: the server may be closing it at this moment. */
const idleMs = 2000;

/** Times are ms of one monotonic clock. */
export interface RoundTrip {
  /** Time before the request was written. */
  sentAt: number;
  /** Time after the response was read. */
  receivedAt: number;
  /** The same two times on the wall clock of this process, in epoch ms. */
  wall: Period;
  /** Absent when the connection broke or failed. */
  response: RawResponse | undefined;
}

/** Formats a request. @param credentials a header field. @param body JSON; absent: no body */
export function request(method: string, path: string, credentials: string, body?: string): string {
  const content =
    body === undefined
      ? ''
      : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${credentials}\r\n${content}\r\n${body ?? ''}`;
}

/** The header field of a key. */
export function bearerField(apiKey: string): string {
  return `Authorization: Bearer ${apiKey}`;
}

/** A connection to a server that reconnects when it has broken. Requests do not wait for the responses of others. */
export class ReconnectingConnection {
  readonly #url: string;
  #socket: HttpSocket | undefined;
  #opening: Promise<HttpSocket> | undefined;
  #pending = 0;
  #usedAt = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Number of requests without a response. */
  get pending(): number {
    return this.#pending;
  }

  async send(text: string): Promise<RoundTrip> {
    this.#pending += 1;
    let [sentAt, from] = [performance.now(), Date.now()];
    const end = (response: RawResponse | undefined): RoundTrip => {
      return { sentAt, receivedAt: performance.now(), wall: { from, to: Date.now() }, response };
    };
    try {
      const socket = await this.#open();
      [sentAt, from] = [performance.now(), Date.now()];
      return end(await socket.send(text));
    } catch (error) {
      if (!isBroken(error)) throw error;
      return end(undefined);
    } finally {
      this.#pending -= 1;
      this.#usedAt = performance.now();
    }
  }

  close(): void {
    this.#socket?.close();
  }

  async #open(): Promise<HttpSocket> {
    const isStale = this.#pending === 1 && performance.now() - this.#usedAt > idleMs;
    if (isStale) this.#socket?.close();
    if (this.#socket?.ended === false) return this.#socket;
    this.#opening ??= HttpSocket.open(this.#url).finally(() => {
      this.#opening = undefined;
    });
    this.#socket = await this.#opening;
    return this.#socket;
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof ConnectionEnded || (error instanceof Error && 'code' in error);
}
