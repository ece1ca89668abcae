import type { IncomingMessage, ServerResponse } from 'node:http';
import { nodeHttp } from '../node-http.ts';

/** Node's value for a response without prepared header fields. */
const noHeaderYet = null;

/**
 * A response whose status line and fields are passed as one text. `writeHead` validates and joins each field again,
 * which costs more than verifying a key. The few responses of the hot path consist of texts that were validated when
 * they were assembled.
 *
 * `_header` is where Node itself stores the joined text before it writes (lib/_http_outgoing.js). It is undocumented,
 * so `canSend` checks that it exists; otherwise the framework sends the response.
 */
export class PreformattedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends nodeHttp.ServerResponse<Request> {
  declare protected _header: string | null | undefined;

  /** Whether `send` can write the response: nothing was set before, and the connection stays open. */
  get canSend(): boolean {
    return this._header === noHeaderYet && this.shouldKeepAlive && this.req.httpVersionMinor === 1;
  }

  /**
   * Sends the whole response, together with the others of this turn of the event loop.
   *
   * @param head status line and fields in ASCII, each line terminated by CR LF, including Date and, with a body,
   *   Content-Length; without the empty line
   * @param body text, or '' for none
   * @param isAscii whether the body is ASCII, which is faster to write
   */
  send(status: number, head: string, body: string, isAscii = false): void {
    this.sendHead(status, head);
    if (waiting.length === 0) setImmediate(endAll);
    waiting.push({ response: this, body, isAscii });
  }

  /**
   * Sets only the head. It is sent with the start of the body, which the caller writes as bytes or latin1 text.
   *
   * @param head as for `send`, with a Content-Length; characters above ASCII represent bytes (latin1)
   */
  sendHead(status: number, head: string): void {
    this.statusCode = status;
    this._header = `${head}\r\n`;
  }
}

/** The responses of this turn. */
let waiting: { response: ServerResponse; body: string; isAscii: boolean }[] = [];

/**
 * Ends the responses when all requests that have arrived are handled, one directly after the other. A write wakes up a
 * client that waits for it, which costs the server a third of the CPU time of the write. With one write directly after
 * the other, a proxy or program with several connections has to be woken up only once.
 */
function endAll(): void {
  const all = waiting;
  waiting = [];
  for (const { response, body, isAscii } of all) {
    if (body === '') response.end();
    else response.end(body, isAscii ? 'latin1' : 'utf8');
  }
}

/**
 * A text that contains the Date field (RFC 9110 section 6.6.1), rebuilt once per second.
 *
 * @param create receives the field as a line
 * @returns a function of the time in epoch ms
 */
export function cachedPerSecond(create: (date: string) => string): (now: number) => string {
  let second = 0;
  let text = '';
  return (now) => {
    const current = Math.floor(now / 1000);
    if (current !== second) {
      second = current;
      text = create(`Date: ${new Date(current * 1000).toUTCString()}\r\n`);
    }
    return text;
  };
}

/** The Date field as a line. @param now epoch ms */
export const dateField = cachedPerSecond((date) => date);
