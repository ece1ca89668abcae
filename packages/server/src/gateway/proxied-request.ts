import type { IncomingMessage } from 'node:http';
import type { ApiProblem } from '../http/errors.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { BodylessRequest } from './bodyless-request.ts';
import { hasBody } from './rejection.ts';
import type { GatewayFields, ResponseHeadWriter, UpstreamHead } from './response-head.ts';
import { StreamedRequest } from './streamed-request.ts';
import { UpstreamTimeout } from './timeouts.ts';
import type { Upstream } from './upstream.ts';

/** Methods that may be retried automatically, because they change nothing (RFC 9110 section 9.2.2). */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Up to this size in bytes, copying a body after its head is cheaper than two writes. */
const smallBody = 8 * 1024;

interface Options {
  request: IncomingMessage;
  response: PreformattedResponse;
  upstream: Upstream;
  /** The path at the upstream. */
  path: string;
  /** Fields for the upstream: alternating names and values, without framing and Host. */
  fields: string[];
  clientHead: ResponseHeadWriter;
  own: GatewayFields;
  /** Called before the head of the response is written. */
  beforeHead: () => void;
  /** Called once if there is no response to forward. */
  failed: (problem: ApiProblem, error: Error) => void;
}

/**
 * Forwards one verified request to the upstream, and the response back. Bodies are streamed in both directions at the
 * speed of the slower side without buffering. If either side disconnects, the other is disconnected too.
 */
export class ProxiedRequest {
  readonly #options: Options;
  #outgoing: StreamedRequest | BodylessRequest | undefined;
  #isOver = false;
  /** Remaining bytes of the response body; NaN if its length is unknown. */
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

  /** Whether the client disconnected or was rejected, so nothing more is sent. */
  get isAborted(): boolean {
    return this.#isOver;
  }

  /** Aborts the request to the upstream; no response is forwarded after this. */
  abort(): void {
    this.#isOver = true;
    this.#outgoing?.abort();
  }

  /** @throws {TypeError} if Node does not send such a request; nothing was sent then */
  start(): void {
    const { request, upstream, path, fields } = this.#options;
    const Outgoing = upstream.canUsePool(request) ? BodylessRequest : StreamedRequest;
    this.#outgoing = new Outgoing(this);
    this.#outgoing.start(path, fields);
  }

  /**
   * Forwards the head of the upstream's response.
   *
   * @throws {Error} if it cannot be forwarded; nothing was sent then
   */
  begin(head: UpstreamHead): void {
    const { response, clientHead, own, beforeHead } = this.#options;
    const { status, headers } = head;
    // Not final responses (RFC 9110 section 15.2).
    if (status < 200) throw new Error(`the upstream sent status ${status}`);
    // The parsers decode only "chunked". The body would be forwarded with another coding that is no longer declared.
    const coding = headers['transfer-encoding'];
    if (coding !== undefined && String(coding).toLowerCase() !== 'chunked') {
      throw new Error('the upstream sent an unsupported transfer coding');
    }
    beforeHead();
    clientHead.write(response, head, own);
    const length = headers['content-length'];
    this.#left = Number(length ?? Number.NaN);
    // The head of a response of unknown length, such as an event stream, is sent at once, because the body may take
    // long. (flushHeaders would encode it as UTF-8 and change its bytes.)
    if (length === undefined) response.write('', 'latin1');
  }

  /** Forwards a chunk of the body. @returns whether the client accepts more; if not, the response emits `drain` */
  write(chunk: Buffer): boolean {
    const { response } = this.#options;
    this.#left -= chunk.length;
    if (this.#left !== 0) return response.write(chunk);
    if (chunk.length > smallBody) response.end(chunk);
    else response.end(chunk.toString('latin1'), 'latin1');
    return true;
  }

  /** Ends the response. */
  end(): void {
    const { response } = this.#options;
    if (!response.writableEnded) response.end();
  }

  /**
   * Retries the request or reports the failure.
   *
   * @param isStale whether the upstream closed a kept-alive connection just when it was used
   */
  fail(error: Error, isStale: boolean): void {
    const { request, response, failed } = this.#options;
    if (this.#isOver || response.headersSent) return;
    // A retry uses another idle connection or a new one, so retries end.
    if (isStale && repeatable.has(request.method ?? '') && !hasBody(request)) this.start();
    else failed(problemOf(error), error);
  }
}

/** The problem for the client. It never reveals the upstream's address or response. */
function problemOf(error: Error): ApiProblem {
  if (!(error instanceof UpstreamTimeout)) {
    return {
      code: 'bad_gateway',
      message:
        'The API behind this gateway could not be reached or sent an invalid response. Try again later.',
    };
  }
  if (error.waitedFor === 'client') {
    return { code: 'invalid_request', message: 'The request body did not arrive in time.' };
  }
  return { code: 'bad_gateway', message: 'The API behind this gateway did not respond in time.' };
}
