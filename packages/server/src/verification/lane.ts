import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { ClientAddress } from '../http/client-address.ts';
import { internalError } from '../http/errors.ts';
import { logAnswered, logsRequests } from '../http/logging.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import type { RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { headOf } from './answer-text.ts';
import { type Answer, errorAnswer } from './answers.ts';

interface Options {
  addressOf: ClientAddress;
  /** Whether the process is about to stop; each response then closes its connection. */
  isClosing: () => boolean;
  requests: RequestCounts;
  log: FastifyBaseLogger;
}

/** A request that is being answered. */
export interface LaneExchange {
  request: IncomingMessage;
  response: PreformattedResponse;
  /** The pattern of its route, for the log and the metrics. */
  route: string;
  /** Monotonic ms; undefined on the hot path, whose time VerificationCounts has. */
  start: number | undefined;
}

/** How requests are answered, counted and logged that the framework never sees. */
export class Lane {
  /** Whether each request gets a line in the log. */
  readonly logs: boolean;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    this.logs = logsRequests(options.log);
  }

  /** Whether the response can be one text: all but its head is as for most requests. */
  canSend(response: PreformattedResponse): boolean {
    return response.canSend && !this.#options.isClosing();
  }

  /** @param id of the request. @param now epoch ms */
  send(exchange: LaneExchange, answer: Answer, id: string, now: number): void {
    const { response } = exchange;
    const { status, fields, body } = answer;
    // RFC 9110 section 8.6: a 204 has none.
    if (status !== 204) fields['content-length'] = String(Buffer.byteLength(body));
    if (this.canSend(response)) response.send(status, headOf(status, fields, now), body);
    else {
      const closing = this.#options.isClosing() ? { connection: 'close' } : {};
      response.writeHead(status, { ...fields, ...closing }).end(body);
    }
    this.report(exchange, status, id);
  }

  /** A bug. It must neither let a request through nor end the process. */
  fail(exchange: LaneExchange, error: unknown): void {
    const id = nextRequestId();
    this.#options.log.error({ reqId: id, err: error }, 'request failed with an internal error');
    if (exchange.response.headersSent) exchange.response.destroy();
    else this.send(exchange, errorAnswer(internalError(id), id, Date.now()), id, Date.now());
  }

  /** Counts a request that was answered, and logs it when each one is. */
  report({ request, route, start }: LaneExchange, status: number, id: string): void {
    const { requests, addressOf, log } = this.#options;
    if (start === undefined) {
      requests.verified(status);
      return;
    }
    const { method = '' } = request;
    const ms = performance.now() - start;
    requests.answered({ method, route }, status, ms);
    if (!this.logs) return;
    const ids = { reqId: id, ...clientRequestId(request) };
    logAnswered(log, { method, route, status, ms, address: addressOf(request) }, ids);
  }
}
