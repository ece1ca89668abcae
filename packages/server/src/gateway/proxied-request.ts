import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../http/errors.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { GaveUp } from './bounds.ts';
import type { ClientHead, OwnFields, UpstreamHead } from './client-head.ts';
import { hasBody } from './refusal.ts';
import { StreamedRequest } from './streamed-request.ts';
import type { Upstream } from './upstream.ts';
import { WholeRequest } from './whole-request.ts';

/** Requests that may be sent again by themselves (RFC 9110 section 9.2.2): they change nothing. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Up to here it costs less to copy a body behind its head than to write both. In bytes. */
const smallBody = 8 * 1024;

interface Options {
  request: IncomingMessage;
  response: PreformattedResponse;
  upstream: Upstream;
  /** At the upstream. */
  path: string;
  /** For the upstream: names and values in turn, without framing and Host. */
  fields: string[];
  clientHead: ClientHead;
  own: OwnFields;
  /** Called before the head of the response is written. */
  answering: () => void;
  /** Called once when there is no answer to pass on. */
  failed: (refusal: Refusal, error: Error) => void;
}

/**
 * One verified request on its way to the upstream, and the answer on its way back. Bodies are streamed in both
 * directions, each as fast as the slower side takes it, and nothing is kept; when either side goes away, so does
 * the other.
 */
export class ProxiedRequest {
  readonly #options: Options;
  #outgoing: StreamedRequest | WholeRequest | undefined;
  #isOver = false;
  /** Bytes of the response's body that are still to come; NaN when its length is not known. */
  #left = Number.NaN;

  constructor(options: Options) {
    this.#options = options;
  }

  get request(): IncomingMessage {
    return this.#options.request;
  }

  get response(): PreformattedResponse {
    return this.#options.response;
  }

  get upstream(): Upstream {
    return this.#options.upstream;
  }

  /** Whether the client went, or was refused: nothing is to be sent any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the request to the upstream; nothing is answered by it any more. */
  abort(): void {
    this.#isOver = true;
    this.#outgoing?.abort();
  }

  /** @throws {TypeError} when Node does not send such a request; nothing was sent then */
  start(): void {
    const { request, upstream, path, fields } = this.#options;
    const Outgoing = upstream.takesWhole(request) ? WholeRequest : StreamedRequest;
    this.#outgoing = new Outgoing(this);
    this.#outgoing.start(path, fields);
  }

  /**
   * Passes the head of the upstream's response on.
   *
   * @throws {Error} when it cannot be passed on; nothing was sent then
   */
  begin(head: UpstreamHead): void {
    const { response, clientHead, own, answering } = this.#options;
    const { status, headers } = head;
    // Not answers (RFC 9110 section 15.2).
    if (status < 200) throw new Error(`the upstream sent status ${status}`);
    // The parsers take "chunked" off, and would hand on what else was done to the body without a word of it.
    const coding = headers['transfer-encoding'];
    if (coding !== undefined && String(coding).toLowerCase() !== 'chunked') {
      throw new Error('the upstream sent an unsupported transfer coding');
    }
    answering();
    clientHead.write(response, head, own);
    const length = headers['content-length'];
    this.#left = Number(length ?? Number.NaN);
    // Of an answer whose length is not known, such as a stream of events, the header may be all for a long time.
    // (flushHeaders would write it as UTF-8, and so change its bytes.)
    if (length === undefined) response.write('', 'latin1');
  }

  /** Passes a piece of the body on. @returns whether the client takes more; if not, its response says `drain` */
  write(chunk: Buffer): boolean {
    const { response } = this.#options;
    this.#left -= chunk.length;
    if (this.#left !== 0) return response.write(chunk);
    if (chunk.length > smallBody) response.end(chunk);
    else response.end(chunk.toString('latin1'), 'latin1');
    return true;
  }

  /** The answer is whole. */
  end(): void {
    const { response } = this.#options;
    if (!response.writableEnded) response.end();
  }

  /**
   * There is no answer to pass on.
   *
   * @param isStale whether the upstream closed a connection that was kept for the next request, just when it was used
   */
  fail(error: Error, isStale: boolean): void {
    const { request, response, failed } = this.#options;
    if (this.#isOver || response.headersSent) return;
    // It takes another such connection or a new one, so it comes to an end.
    if (isStale && repeatable.has(request.method ?? '') && !hasBody(request)) this.start();
    else failed(refusalOf(error), error);
  }
}

/** What the client is told: never where the upstream is, or what it said. */
function refusalOf(error: Error): Refusal {
  if (!(error instanceof GaveUp)) {
    return {
      code: 'bad_gateway',
      message: 'The API behind this gateway could not be reached or sent an invalid response. Try again later.',
    };
  }
  if (error.waitedFor === 'client') {
    return { code: 'invalid_request', message: 'The request body did not arrive in time.' };
  }
  return { code: 'bad_gateway', message: 'The API behind this gateway did not respond in time.' };
}
