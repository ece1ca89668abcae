import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

/** How long the gateway waits, in ms. */
export interface Timeouts {
  /** For a connection, TLS included. */
  connection: number;
  /** For the next byte in either direction, once there is a connection: so for the answer's first byte, too. */
  silence: number;
  /** For the next byte of a request's body, while the upstream takes more of it. */
  body: number;
}

export const usualTimeouts: Timeouts = { connection: 10_000, silence: 120_000, body: 30_000 };

/**
 * How long an unused connection to the upstream is kept, in ms: less than the five seconds after which Node's own
 * servers close one, so that a request seldom meets a connection that is just being closed.
 */
const idle = 4_000;

/** Largest header of an answer, in bytes. */
const answerHeaders = 64 * 1024;

/** Why the gateway gave up waiting. Everything else that goes wrong with an upstream is an error of Node's. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
  readonly waitedFor: 'upstream' | 'client';

  constructor(message: string, waitedFor: 'upstream' | 'client' = 'upstream') {
    super(message);
    this.waitedFor = waitedFor;
  }
}

/** Where verified requests go, and the connections to it. */
export class Upstream {
  /** The URL without a slash at the end. */
  readonly url: string;
  /** Host and port, as the Host field has them. */
  readonly host: string;
  /** The path of the URL, without a slash at the end; '' for none. */
  readonly basePath: string;
  readonly #hostname: string;
  readonly #port: string;
  readonly #secure: boolean;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly timeouts: Timeouts;

  constructor(url: string, timeouts: Timeouts) {
    const parsed = new URL(url);
    this.host = parsed.host;
    this.basePath = parsed.pathname.replace(/\/+$/, '');
    this.url = parsed.origin + this.basePath;
    this.#hostname = parsed.hostname.replace(/^\[|\]$/g, '');
    this.#secure = parsed.protocol === 'https:';
    this.#port = parsed.port || (this.#secure ? '443' : '80');
    const options = { keepAlive: true, timeout: idle };
    this.#agent = this.#secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.timeouts = timeouts;
  }

  /**
   * Begins a request; the caller sends its body. It fails with GaveUp when there is no connection in time, and says
   * `timeout` when nothing came or went for too long.
   *
   * @param fields names and values in turn, sent exactly so; framing and Host are among them
   * @throws {TypeError} when Node does not send such a path or field
   */
  request(method: string, path: string, fields: readonly string[]): ClientRequest {
    const outgoing = (this.#secure ? httpsRequest : httpRequest)({
      agent: this.#agent,
      hostname: this.#hostname,
      port: this.#port,
      method,
      path,
      headers: fields,
      maxHeaderSize: answerHeaders,
      timeout: this.timeouts.silence,
    });
    outgoing.once('socket', (socket) => {
      // Node writes a header that it sends ahead of the body (Expect) in the socket's encoding, and so as UTF-8:
      // that would change the bytes of fields.
      socket.setDefaultEncoding('latin1');
      this.#limitConnecting(outgoing, socket);
    });
    return outgoing;
  }

  #limitConnecting(outgoing: ClientRequest, socket: Socket): void {
    if (!socket.connecting) return;
    const timer = setTimeout(
      () => outgoing.destroy(new GaveUp('there was no connection in time')),
      this.timeouts.connection,
    );
    const stop = () => clearTimeout(timer);
    socket.once(this.#secure ? 'secureConnect' : 'connect', stop).once('close', stop);
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }
}
