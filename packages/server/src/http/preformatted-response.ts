import { type IncomingMessage, ServerResponse } from 'node:http';

/** The field names that Node's own way of writing a response keeps. */
const noHeaderYet = null;

/**
 * A response whose status line and fields can be given as one text. `writeHead` checks and joins each field anew,
 * which costs more than verifying a key does; the few answers of the hot path are made of texts that were checked
 * when they were put together.
 *
 * `_header` is what Node itself puts the joined text into before it writes (lib/_http_outgoing.js); it is not
 * documented, so `canSend` looks whether it is there, and the framework's way remains for when it is not.
 */
export class PreformattedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  declare protected _header: string | null | undefined;

  /** Whether the whole answer can be given by `send`: nothing was set before, and the connection stays open. */
  get canSend(): boolean {
    return this._header === noHeaderYet && this.shouldKeepAlive && this.req.httpVersionMinor === 1;
  }

  /**
   * Writes the whole answer at once.
   *
   * @param head status line and fields in ASCII, each line ended by CR LF, Date and Content-Length (of a body)
   *   included; without the empty line
   * @param body text, or '' for none
   */
  send(status: number, head: string, body: string): void {
    this.sendHead(status, head);
    if (body === '') this.end();
    else this.end(body);
  }

  /**
   * Gives the head alone. It goes with the beginning of the body, which the caller writes: bytes, or text as latin1.
   *
   * @param head as for `send`, with a Content-Length; characters above ASCII stand for bytes (latin1)
   */
  sendHead(status: number, head: string): void {
    this.statusCode = status;
    this._header = `${head}\r\n`;
  }
}

/**
 * A text with the Date field in it (RFC 9110 section 6.6.1), made anew when a second has passed.
 *
 * @param make gets the field as a line
 * @returns takes the time in epoch ms
 */
export function onceASecond(make: (date: string) => string): (now: number) => string {
  let second = 0;
  let text = '';
  return (now) => {
    const current = Math.floor(now / 1000);
    if (current !== second) {
      second = current;
      text = make(`Date: ${new Date(current * 1000).toUTCString()}\r\n`);
    }
    return text;
  };
}

/** The Date field as a line. @param now epoch ms */
export const dateField = onceASecond((date) => date);
