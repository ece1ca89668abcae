import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { answerHeaders, GaveUp, idle, type Timeouts } from './bounds.ts';
import { hasBody } from './refusal.ts';
import { UpstreamPool } from './upstream-pool.ts';

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
  /** For the requests of `takesWhole`. */
  readonly whole: UpstreamPool;
  readonly timeouts: Timeouts;
  #saysContinue = false;

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
    this.whole = new UpstreamPool(parsed.origin, timeouts);
    this.timeouts = timeouts;
  }

  /**
   * Whether undici can send a request: it has no body, and it can be sent again by Node's client if undici does not take
   * the answer. undici closes the connection behind a HEAD.
   */
  takesWhole(request: IncomingMessage): boolean {
    return request.method === 'GET' && !this.#saysContinue && !hasBody(request);
  }

  /** The upstream says 100 Continue of its own accord, which undici does not take. Node's client does. */
  saysContinueUnasked(): void {
    this.#saysContinue = true;
  }

  /**
   * Begins a request; the caller sends its body. It fails with GaveUp when there is no connection in time, and says
   * `timeout` when nothing came or went for too long.
   *
   * @param fields names and values in turn, sent exactly so behind Host; framing is among them
   * @throws {TypeError} when Node does not send such a path or field
   */
  request(method: string, path: string, fields: readonly string[]): ClientRequest {
    const outgoing = (this.#secure ? httpsRequest : httpRequest)({
      agent: this.#agent,
      hostname: this.#hostname,
      port: this.#port,
      method,
      path,
      headers: ['Host', this.host, ...fields],
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
      () => outgoing.destroy(new GaveUp('the connection timed out')),
      this.timeouts.connection,
    );
    const stop = () => clearTimeout(timer);
    socket.once(this.#secure ? 'secureConnect' : 'connect', stop).once('close', stop);
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#agent.destroy();
    this.whole.close();
  }
}
