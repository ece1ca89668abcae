import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { nodeHttp } from '../node-http.ts';
import { hasBody } from './rejection.ts';
import { idleTimeoutMs, maxResponseHeaderBytes, type Timeouts, UpstreamTimeout } from './timeouts.ts';
import { UpstreamPool } from './upstream-pool.ts';

/** The target of verified requests, and the connections to it. */
export class Upstream {
  /** The URL without a trailing slash. */
  readonly url: string;
  /** Host and port, as in the Host field. */
  readonly host: string;
  /** The path of the URL without a trailing slash; '' for none. */
  readonly basePath: string;
  readonly #hostname: string;
  readonly #port: string;
  readonly #secure: boolean;
  readonly #agent: Agent;
  /** Connections for requests without a body. */
  readonly pool: UpstreamPool;
  readonly timeouts: Timeouts;
  #sendsUnsolicitedContinue = false;

  constructor(url: string, timeouts: Timeouts) {
    const parsed = new URL(url);
    this.host = parsed.host;
    this.basePath = parsed.pathname.replace(/\/+$/, '');
    this.url = parsed.origin + this.basePath;
    this.#hostname = parsed.hostname.replace(/^\[|\]$/g, '');
    this.#secure = parsed.protocol === 'https:';
    this.#port = parsed.port || (this.#secure ? '443' : '80');
    const options = { keepAlive: true, timeout: idleTimeoutMs };
    this.#agent = this.#secure ? new HttpsAgent(options) : new nodeHttp.Agent(options);
    this.pool = new UpstreamPool(parsed.origin, timeouts);
    this.timeouts = timeouts;
  }

  /**
   * Whether undici can send a request: it has no body, and Node's client can retry it if undici rejects the response.
   * undici closes the connection after a HEAD.
   */
  canUsePool(request: IncomingMessage): boolean {
    return request.method === 'GET' && !this.#sendsUnsolicitedContinue && !hasBody(request);
  }

  /** Records that the upstream sends unsolicited 100 Continue, which Node's client accepts and undici does not. */
  disablePool(): void {
    this.#sendsUnsolicitedContinue = true;
  }

  /**
   * Starts a request; the caller sends its body. It fails with a timeout error if there is no connection in time, and
   * emits `timeout` if no data was sent or received for too long.
   *
   * @param fields alternating names and values including framing, sent unchanged after Host
   * @throws {TypeError} if Node does not send such a path or field
   */
  request(method: string, path: string, fields: readonly string[]): ClientRequest {
    const outgoing = (this.#secure ? httpsRequest : nodeHttp.request)({
      agent: this.#agent,
      hostname: this.#hostname,
      port: this.#port,
      method,
      path,
      headers: ['Host', this.host, ...fields],
      maxHeaderSize: maxResponseHeaderBytes,
      timeout: this.timeouts.silence,
    });
    outgoing.once('socket', (socket) => {
      // Node writes a header that it sends ahead of the body (Expect) in the socket's default encoding. UTF-8 would
      // change the bytes of fields.
      socket.setDefaultEncoding('latin1');
      this.#limitConnecting(outgoing, socket);
    });
    return outgoing;
  }

  #limitConnecting(outgoing: ClientRequest, socket: Socket): void {
    if (!socket.connecting) return;
    const timer = setTimeout(
      () => outgoing.destroy(new UpstreamTimeout('the connection timed out')),
      this.timeouts.connection,
    );
    const stop = () => clearTimeout(timer);
    socket.once(this.#secure ? 'secureConnect' : 'connect', stop).once('close', stop);
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
    this.pool.close();
  }
}
