import type { ClientRequest, IncomingMessage } from 'node:http';
import type { ProxiedRequest } from './proxied-request.ts';
import { hasBody } from './rejection.ts';
import { UpstreamTimeout } from './timeouts.ts';
import { watchBody } from './watch-body.ts';

/** Methods whose requests have no body unless declared (RFC 9110 section 9.3). */
const usuallyBodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** An upstream request whose header can be sent ahead of its body. It uses Node's client, because undici cannot. */
export class StreamedRequest {
  readonly #proxied: ProxiedRequest;
  #outgoing: ClientRequest | undefined;

  constructor(proxied: ProxiedRequest) {
    this.#proxied = proxied;
  }

  abort(): void {
    this.#outgoing?.destroy();
  }

  /** @throws {TypeError} if Node does not send such a request; nothing was sent then */
  start(path: string, fields: string[]): void {
    const { request, response, upstream } = this.#proxied;
    const outgoing = upstream.request(request.method ?? 'GET', path, [...fields, ...framing(request)]);
    this.#outgoing = outgoing;
    outgoing.once('response', (incoming) => this.#relay(incoming));
    // The body timeout of a client that does not send its body fires earlier.
    outgoing.once('timeout', () =>
      outgoing.destroy(new UpstreamTimeout('no data was sent or received for too long')),
    );
    outgoing.on('error', (error) => this.#proxied.fail(error, isStale(outgoing, error)));
    outgoing.once('upgrade', (_incoming, socket) => {
      socket.destroy();
      this.#proxied.fail(new Error('the upstream switched protocols without a request to do so'), false);
    });
    // The client waits for it before it sends the body, so an upstream can reject the body in advance. Only a client
    // that requested it gets it (RFC 9110 section 15.2), because an HTTP/1.0 client could not read it.
    outgoing.once('continue', () => {
      if (expectsContinue(request)) response.writeContinue();
    });
    if (hasBody(request)) this.#sendBody(outgoing);
    else outgoing.end();
  }

  #sendBody(outgoing: ClientRequest): void {
    const { request, upstream } = this.#proxied;
    request.pipe(outgoing);
    const time = upstream.timeouts.body;
    watchBody({ request, outgoing, waitsForContinue: expectsContinue(request), time }, () =>
      this.#bodyStalled(outgoing),
    );
    // The header is sent together with the start of the body, or ahead of it if the body is delayed.
    setImmediate(() => {
      if (!request.readableDidRead) outgoing.flushHeaders();
    });
    // An upstream that responded and disconnected needs no more of the body, but it must be read to reach the client's
    // next request.
    outgoing.once('close', () => {
      request.unpipe(outgoing);
      request.resume();
    });
  }

  #relay(incoming: IncomingMessage): void {
    const { response } = this.#proxied;
    const { statusCode: status = 0, rawHeaders: raw, headers } = incoming;
    try {
      // Node emits a 101 here if it names no protocol.
      this.#proxied.begin({ status, raw, headers });
    } catch (error) {
      this.#proxied.fail(
        error instanceof Error ? error : new Error('the response cannot be forwarded'),
        false,
      );
      this.#proxied.abort();
      return;
    }
    incoming.pipe(response);
    // The client must not mistake a partial response for a complete one.
    incoming.once('close', () => {
      if (!incoming.complete) response.destroy();
    });
  }

  #bodyStalled(outgoing: ClientRequest): void {
    const { request, response } = this.#proxied;
    // A response that has started cannot be taken back, and after a complete one the body still blocks the connection.
    if (response.headersSent) request.socket.destroy();
    else outgoing.destroy(new UpstreamTimeout('the request body stopped arriving', 'client'));
  }
}

/** The framing fields of the request on the connection to the upstream. */
function framing(request: IncomingMessage): string[] {
  const { headers, method = '' } = request;
  if (!hasBody(request)) return usuallyBodyless.has(method) ? [] : ['Content-Length', '0'];
  const length = headers['content-length'];
  const fields = length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', length];
  if (expectsContinue(request)) fields.push('Expect', '100-continue');
  return fields;
}

function expectsContinue({ headers, httpVersionMinor }: IncomingMessage): boolean {
  return httpVersionMinor === 1 && headers.expect?.toLowerCase() === '100-continue';
}

/** Whether the upstream closed a kept-alive connection just when it was used. */
function isStale(outgoing: ClientRequest, { code }: NodeJS.ErrnoException): boolean {
  return outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}
