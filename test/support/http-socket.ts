import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One response with its raw bytes. */
export interface RawResponse {
  status: number;
  /** Names in lowercase. For repeated fields the last value; `bytes` has all. */
  headers: Map<string, string>;
  body: string;
  /** The whole response, from the status line to the end of the body. */
  bytes: Buffer;
}

interface Expected {
  /** Whether the response has no body, such as for HEAD, whatever its headers say. */
  bodyless: boolean;
  resolve(response: RawResponse): void;
  reject(error: Error): void;
}

/** The connection ended before the response was complete. */
export class ConnectionEnded extends Error {
  override readonly name = 'ConnectionEnded';
}

/**
 * A TCP connection that sends exactly the given bytes, pipelines requests, and reads the responses in order. Unlike
 * HTTP clients, it does not correct its input.
 */
export class HttpSocket {
  readonly #socket: Socket;
  readonly #expected: Expected[] = [];
  #received = Buffer.alloc(0);
  #ended = false;
  readonly #closed: Promise<void>;
  /** Responses without a request: a server may find an additional request in malformed data. */
  readonly unsolicited: RawResponse[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => undefined);
    socket.on('end', () => this.#finish());
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#finish();
        resolve();
      });
    });
  }

  /** @param url of the server; only its port is used, because servers under test listen on 127.0.0.1 */
  static async open(url: string, address = '127.0.0.1'): Promise<HttpSocket> {
    const socket = connect(Number(new URL(url).port), address);
    await once(socket, 'connect');
    return new HttpSocket(socket);
  }

  /** Whether no further response is possible. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends one complete request; rejects with ConnectionEnded when the connection ends before the response. */
  send(request: string | Uint8Array, bodyless = false): Promise<RawResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<RawResponse>();
    if (this.#ended) {
      reject(new ConnectionEnded('the connection has ended'));
      return promise;
    }
    this.#expected.push({ bodyless, resolve, reject });
    this.#socket.write(request);
    return promise;
  }

  /** Ends the sending direction; the server may still send. */
  finishSending(): void {
    this.#socket.end();
  }

  /** Resolves when either side has closed the connection. */
  async closed(): Promise<void> {
    return this.#closed;
  }

  close(): void {
    this.#finish();
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const parsed = parseResponse(this.#received, this.#expected[0]?.bodyless === true, false);
      if (parsed === null) return;
      this.#received = this.#received.subarray(parsed.length);
      // Informational responses such as 100 Continue precede the response itself.
      if (parsed.response.status >= 200) this.#deliver(parsed.response);
    }
  }

  #deliver(response: RawResponse): void {
    const next = this.#expected.shift();
    if (next === undefined) this.unsolicited.push(response);
    else next.resolve(response);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    const parsed = parseResponse(this.#received, this.#expected[0]?.bodyless === true, true);
    if (parsed !== null) this.#deliver(parsed.response);
    for (const { reject } of this.#expected.splice(0)) {
      reject(new ConnectionEnded('the connection ended before the response'));
    }
  }
}

/** @param last whether the connection has ended, which also ends a body without a length */
function parseResponse(
  received: Buffer,
  bodyless: boolean,
  last: boolean,
): { response: RawResponse; length: number } | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not an HTTP response: ${statusLine}`);
  const headers = new Map(lines.map((line) => fieldOf(line)));
  const start = headEnd + 4;
  const none = bodyless || status < 200 || status === 204 || status === 304;
  const end = none ? start : bodyEnd(received, start, headers, last);
  if (end === null || end > received.length) return null;
  const bytes = received.subarray(0, end);
  return { response: { status, headers, body: bytes.toString('utf8', start), bytes }, length: end };
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function bodyEnd(
  received: Buffer,
  start: number,
  headers: Map<string, string>,
  last: boolean,
): number | null {
  const length = headers.get('content-length');
  if (length !== undefined) return start + Number(length);
  if (headers.get('transfer-encoding') === 'chunked') {
    const end = received.indexOf('0\r\n\r\n', start);
    return end === -1 ? null : end + 5;
  }
  return last ? received.length : null;
}
