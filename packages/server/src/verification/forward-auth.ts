import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { checkForm } from '../http/broken-requests.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { internalError, type Refusal } from '../http/errors.ts';
import { logAnswered, logsRequests } from '../http/logging.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import type { RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { acceptedFields, acceptedHead, headOf, keyFields } from './answer-text.ts';
import { type Answer, errorAnswer, refusedAnswer } from './answers.ts';
import { type ForwardAuthRoute, forwardAuthRoute, originalTargets } from './original-request.ts';
import { readFields } from './request-fields.ts';
import type { Accept, Refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

interface Options {
  verifier: Pick<Verifier, 'verifyFields'>;
  addressOf: ClientAddress;
  /** Whether the process is about to stop; each response then closes its connection. */
  isClosing: () => boolean;
  requests: RequestCounts;
  log: FastifyBaseLogger;
}

/** What the response to an accepted key says of it. */
interface Accepted {
  fields: string;
  refusal?: never;
}

type Decision = Accepted | Refused | { malformed: Refusal };

const accept: Accept<Accepted> = (...key) => ({ fields: keyFields(...key) });

/** A request that is being answered. */
interface Exchange {
  request: IncomingMessage;
  response: PreformattedResponse;
  route: ForwardAuthRoute;
  /** Monotonic ms; undefined on the hot path, whose time VerificationCounts has. */
  start: number | undefined;
}

/**
 * Answers proxies: `GET` and `HEAD /v1/verify`, and any method on `/v1/verify/*`. It stands ahead of the framework,
 * whose way from a request to a response costs more than all of verifying.
 *
 * Below `/v1/verify/` all of the request but its Authorization belongs to the client of another API, so nothing else of
 * it is judged: no origin, no query, no body. A body stays unread; Node discards it after the response.
 */
export class ForwardAuth {
  readonly #options: Options;
  readonly #logs: boolean;

  constructor(options: Options) {
    this.#options = options;
    this.#logs = logsRequests(options.log);
  }

  /** @returns false when the request is for another route; it was not touched */
  handle(request: IncomingMessage, response: PreformattedResponse): boolean {
    const route = forwardAuthRoute(request);
    if (route === undefined) return false;
    const isHot = route === '/v1/verify' && request.method === 'GET' && !this.#logs;
    const exchange = { request, response, route, start: isHot ? undefined : performance.now() };
    try {
      const verdict = this.#verify(request);
      if (verdict instanceof Promise) {
        verdict.then((late) => this.#answer(exchange, late)).catch((error) => this.#fail(exchange, error));
      } else this.#answer(exchange, verdict);
    } catch (error) {
      this.#fail(exchange, error);
    }
    return true;
  }

  #verify(request: IncomingMessage): Decision | Promise<Accepted | Refused> {
    const fields = readFields(request.rawHeaders);
    const malformed = checkForm(request, fields.hosts);
    if (malformed !== null) return { malformed };
    const { verifier, addressOf } = this.#options;
    const ask = { targets: originalTargets, address: addressOf(request) };
    return verifier.verifyFields(fields, request, ask, accept);
  }

  #answer(exchange: Exchange, verdict: Decision): void {
    const id = nextRequestId();
    const now = Date.now();
    const { response, route } = exchange;
    const accepted = route === '/v1/verify' ? 204 : 200;
    if ('malformed' in verdict) {
      this.#send(exchange, errorAnswer(verdict.malformed, id, now), id, now);
    } else if (verdict.refusal !== undefined) {
      this.#send(exchange, refusedAnswer(verdict.refusal, id, now), id, now);
    } else if (!this.#canSend(response)) {
      this.#send(
        exchange,
        { status: accepted, fields: acceptedFields(verdict.fields, id), body: '' },
        id,
        now,
      );
    } else {
      response.send(accepted, acceptedHead(accepted, verdict.fields, id, now), '');
      this.#report(exchange, accepted, id);
    }
  }

  #send(exchange: Exchange, answer: Answer, id: string, now: number): void {
    const { response } = exchange;
    const { status, fields, body } = answer;
    // RFC 9110 section 8.6: a 204 has none.
    if (status !== 204) fields['content-length'] = String(Buffer.byteLength(body));
    if (this.#canSend(response)) response.send(status, headOf(status, fields, now), body);
    else {
      const closing = this.#options.isClosing() ? { connection: 'close' } : {};
      response.writeHead(status, { ...fields, ...closing }).end(body);
    }
    this.#report(exchange, status, id);
  }

  /** Whether the response can be one text: all but its head is as for most requests. */
  #canSend(response: PreformattedResponse): boolean {
    return response.canSend && !this.#options.isClosing();
  }

  /** A bug. It must neither let a request through nor end the process. */
  #fail(exchange: Exchange, error: unknown): void {
    const id = nextRequestId();
    this.#options.log.error({ reqId: id, err: error }, 'a request failed inside');
    if (exchange.response.headersSent) exchange.response.destroy();
    else this.#send(exchange, errorAnswer(internalError(id), id, Date.now()), id, Date.now());
  }

  /** Counts the request, and logs it when each one is. */
  #report({ request, route, start }: Exchange, status: number, id: string): void {
    const { requests, addressOf, log } = this.#options;
    if (start === undefined) {
      requests.verified(status);
      return;
    }
    const { method = '' } = request;
    const ms = performance.now() - start;
    requests.answered({ method, route }, status, ms);
    if (!this.#logs) return;
    const ids = { reqId: id, ...clientRequestId(request) };
    logAnswered(log, { method, route, status, ms, address: addressOf(request) }, ids);
  }
}
