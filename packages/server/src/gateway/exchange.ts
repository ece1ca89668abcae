import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../http/errors.ts';
import { hasBody } from './refusal.ts';
import { watchBody } from './slow-body.ts';
import { GaveUp, type Upstream } from './upstream.ts';

/** Methods whose requests have no body unless one is announced (RFC 9110 section 9.3). */
const usuallyBodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** Requests that may be sent again by themselves (RFC 9110 section 9.2.2): they change nothing. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS']);

interface Options {
  request: IncomingMessage;
  response: ServerResponse;
  upstream: Upstream;
  path: string;
  /** For the upstream: names and values in turn, without framing. */
  fields: readonly string[];
  /** Makes the fields of the answer to the client from those that the upstream sent. */
  answerFields: (raw: readonly string[]) => string[];
  /** Called once when there is no answer to pass on. */
  failed: (refusal: Refusal, error: Error) => void;
}

/**
 * One verified request on its way to the upstream, and the answer on its way back. Bodies are streamed in both
 * directions, each as fast as the slower side takes it, and nothing is kept; when either side goes away, so does
 * the other.
 */
export class Exchange {
  readonly #options: Options;
  #outgoing: ClientRequest | undefined;
  #over = false;

  constructor(options: Options) {
    this.#options = options;
    const { response } = options;
    response.once('close', () => {
      if (!response.writableFinished) this.abort();
    });
  }

  /** Ends the request to the upstream; nothing is answered by it any more. */
  abort(): void {
    this.#over = true;
    this.#outgoing?.destroy();
  }

  /** @throws {TypeError} when Node does not send such a request; nothing was sent then */
  start(): void {
    const { request, upstream, path, fields } = this.#options;
    const outgoing = upstream.request(request.method ?? 'GET', path, [...fields, ...framing(request)]);
    this.#outgoing = outgoing;
    outgoing.once('response', (answer) => this.#relay(outgoing, answer));
    // The time of a client that does not send its body is over before.
    outgoing.once('timeout', () => outgoing.destroy(new GaveUp('nothing came or went for too long')));
    outgoing.on('error', (error) => this.#fail(outgoing, error));
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#fail(outgoing, new Error('the upstream switched protocols unasked'));
    });
    // The client waits for it before it sends the body; so an upstream can refuse a body that was not sent yet.
    // Only a client that asks for it gets it (RFC 9110 section 15.2); one that speaks HTTP/1.0 could not read it.
    outgoing.once('continue', () => {
      if (expectsContinue(request)) this.#options.response.writeContinue();
    });
    if (hasBody(request)) this.#sendBody(outgoing);
    else outgoing.end();
  }

  #sendBody(outgoing: ClientRequest): void {
    const { request, upstream } = this.#options;
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

  #relay(outgoing: ClientRequest, answer: IncomingMessage): void {
    const { response, answerFields } = this.#options;
    const { statusCode = 0 } = answer;
    try {
      // Node lets a 101 through here when it names no protocol; all others below 200 are not answers (RFC 9110 15.2).
      if (statusCode < 200) throw new Error(`the upstream answered ${statusCode}`);
      // Node takes "chunked" off, and would hand on what else was done to the body without a word of it.
      const coding = answer.headers['transfer-encoding'];
      if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
        throw new Error('the upstream sent a transfer coding that is not passed on');
      }
      // RFC 9110 section 8.6: a 204 has no length.
      const raw = statusCode === 204 ? withoutLength(answer.rawHeaders) : answer.rawHeaders;
      response.writeHead(statusCode, answerFields(raw));
    } catch (error) {
      this.#fail(outgoing, error instanceof Error ? error : new Error('the answer cannot be passed on'));
      this.abort();
      return;
    }
    // Of an answer whose length is not known, such as a stream of events, the header may be all for a long time.
    // (flushHeaders would write it as UTF-8, and so change its bytes.)
    if (answer.headers['content-length'] === undefined) response.write('', 'latin1');
    answer.pipe(response);
    // The client must not take a part for the whole.
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
  }

  #bodyStalled(outgoing: ClientRequest): void {
    const { request, response } = this.#options;
    // Of an answer that has begun nothing can be taken back, and behind one that is over the body still blocks the
    // connection.
    if (response.headersSent) request.socket.destroy();
    else outgoing.destroy(new GaveUp('the body of the request stopped coming', 'client'));
  }

  #fail(outgoing: ClientRequest, error: NodeJS.ErrnoException): void {
    const { request, response, failed } = this.#options;
    if (this.#over || response.headersSent) return;
    if (isStale(outgoing, error) && repeatable.has(request.method ?? '') && !hasBody(request)) this.start();
    else failed(refusalOf(error), error);
  }
}

/** @param raw names and values in turn */
function withoutLength(raw: readonly string[]): string[] {
  return raw.filter((_, i) => raw[i - (i % 2)]?.toLowerCase() !== 'content-length');
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

/**
 * Whether the upstream closed a connection that was kept for the next request, just when it was used. Sending again
 * takes another such connection or a new one, so it comes to an end.
 */
function isStale(outgoing: ClientRequest, { code }: NodeJS.ErrnoException): boolean {
  return outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** What the client is told: never where the upstream is, or what it said. */
function refusalOf(error: Error): Refusal {
  if (!(error instanceof GaveUp)) {
    return {
      code: 'bad_gateway',
      message: 'The API behind this gateway cannot be reached, or its answer was broken. Try again later.',
    };
  }
  if (error.waitedFor === 'client') {
    return { code: 'invalid_request', message: 'The request did not arrive in time.' };
  }
  return { code: 'bad_gateway', message: 'The API behind this gateway did not answer in time.' };
}
