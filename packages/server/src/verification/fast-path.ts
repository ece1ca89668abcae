import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { ClientAddress } from '../http/client-address.ts';
import { internalError } from '../http/errors.ts';
import { logRequest, logsRequests } from '../http/logging.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import type { RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { formatHead } from './response-text.ts';
import { errorResponse, type PlainResponse } from './responses.ts';

interface Options {
  addressOf: ClientAddress;
  /** Whether the process is shutting down; each response then closes its connection. */
  isClosing: () => boolean;
  requests: RequestCounts;
  log: FastifyBaseLogger;
}

/** A request and its pending response. */
export interface FastPathRequest {
  request: IncomingMessage;
  response: PreformattedResponse;
  /** The route pattern, for the log and the metrics. */
  route: string;
  /** Monotonic ms; undefined on the hot path, which VerificationCounts measures. */
  start: number | undefined;
}

/** Sends, counts and logs responses to requests that bypass the framework. */
export class FastPath {
  /** Whether every request is logged. */
  readonly logsEachRequest: boolean;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    this.logsEachRequest = logsRequests(options.log);
  }

  /** Whether the response can be sent as one preformatted string. */
  canSend(response: PreformattedResponse): boolean {
    return response.canSend && !this.#options.isClosing();
  }

  /** @param id of the request. @param now epoch ms */
  send(exchange: FastPathRequest, content: PlainResponse, id: string, now: number): void {
    const { response } = exchange;
    const { status, fields, body } = content;
    // RFC 9110 section 8.6: a 204 has no Content-Length.
    const length = Buffer.byteLength(body);
    if (status !== 204) fields['content-length'] = String(length);
    if (this.canSend(response)) {
      response.send(status, formatHead(status, fields, now), body, length === body.length);
    } else {
      const closing = this.#options.isClosing() ? { connection: 'close' } : {};
      response.writeHead(status, { ...fields, ...closing }).end(body);
    }
    this.report(exchange, status, id);
  }

  /** Handles a bug, which must neither accept a request nor end the process. */
  fail(exchange: FastPathRequest, error: unknown): void {
    const id = nextRequestId();
    this.#options.log.error({ reqId: id, err: error }, 'request failed with an internal error');
    if (exchange.response.headersSent) exchange.response.destroy();
    else this.send(exchange, errorResponse(internalError(id), id, Date.now()), id, Date.now());
  }

  /** Counts a finished request, and logs it if every request is logged. */
  report({ request, route, start }: FastPathRequest, status: number, id: string): void {
    const { requests, addressOf, log } = this.#options;
    if (start === undefined) {
      requests.recordVerification(status);
      return;
    }
    const { method = '' } = request;
    const ms = performance.now() - start;
    requests.recordResponse({ method, route }, status, ms);
    if (!this.logsEachRequest) return;
    const ids = { reqId: id, ...clientRequestId(request) };
    logRequest(log, { method, route, status, ms, address: addressOf(request) }, ids);
  }
}
