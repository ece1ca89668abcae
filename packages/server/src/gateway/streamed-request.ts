import type { ClientRequest, IncomingMessage } from 'node:http';
import { GaveUp } from './bounds.ts';
import type { ProxiedRequest } from './proxied-request.ts';
import { hasBody } from './refusal.ts';
import { watchBody } from './slow-body.ts';

/** Methods whose requests have no body unless one is announced (RFC 9110 section 9.3). */
const usuallyBodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** A request to the upstream whose header can go ahead of its body: by Node's own client, which undici cannot do. */
export class StreamedRequest {
  readonly #proxied: ProxiedRequest;
  #outgoing: ClientRequest | undefined;

  constructor(proxied: ProxiedRequest) {
    this.#proxied = proxied;
  }

  abort(): void {
    this.#outgoing?.destroy();
  }

  /** @throws {TypeError} when Node does not send such a request; nothing was sent then */
  start(path: string, fields: string[]): void {
    const { request, response, upstream } = this.#proxied;
    const outgoing = upstream.request(request.method ?? 'GET', path, [...fields, ...framing(request)]);
    this.#outgoing = outgoing;
    outgoing.once('response', (answer) => this.#relay(answer));
    // The time of a client that does not send its body is over before.
    outgoing.once('timeout', () => outgoing.destroy(new GaveUp('no data was sent or received for too long')));
    outgoing.on('error', (error) => this.#proxied.fail(error, isStale(outgoing, error)));
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#proxied.fail(new Error('the upstream switched protocols without a request to do so'), false);
    });
    // The client waits for it before it sends the body; so an upstream can refuse a body that was not sent yet.
    // Only a client that asks for it gets it (RFC 9110 section 15.2); one that speaks HTTP/1.0 could not read it.
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
    // The header goes with the beginning of the body; but when that takes its time, ahead of it.
    setImmediate(() => {
      if (!request.readableDidRead) outgoing.flushHeaders();
    });
    // An upstream that answered and went does not want the rest, but the client's next request stands behind it.
    outgoing.once('close', () => {
      request.unpipe(outgoing);
      request.resume();
    });
  }

  #relay(answer: IncomingMessage): void {
    const { response } = this.#proxied;
    const { statusCode: status = 0, rawHeaders: raw, headers } = answer;
    try {
      // Node lets a 101 through here when it names no protocol.
      this.#proxied.begin({ status, raw, headers });
    } catch (error) {
      this.#proxied.fail(error instanceof Error ? error : new Error('the response cannot be forwarded'), false);
      this.#proxied.abort();
      return;
    }
    answer.pipe(response);
    // The client must not take a part for the whole.
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
  }

  #bodyStalled(outgoing: ClientRequest): void {
    const { request, response } = this.#proxied;
    // Of an answer that has begun nothing can be taken back, and behind one that is over the body still blocks the
    // connection.
    if (response.headersSent) request.socket.destroy();
    else outgoing.destroy(new GaveUp('the request body stopped arriving', 'client'));
  }
}

/** How the request's body is delimited on the connection to the upstream. */
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

/** Whether the upstream closed a connection that was kept for the next request, just when it was used. */
function isStale(outgoing: ClientRequest, { code }: NodeJS.ErrnoException): boolean {
  return outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}
