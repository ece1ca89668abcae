import type { IncomingMessage } from 'node:http';
import { checkForm } from '../http/broken-requests.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { ApiProblem } from '../http/errors.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { nextRequestId } from '../http/request-ids.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import type { Lane, LaneExchange } from './lane.ts';
import { forwardAuthRoute, originalTargets } from './original-request.ts';
import { readFields } from './request-fields.ts';
import { acceptedFields, acceptedHead, keyFields } from './response-text.ts';
import { errorResponse, rejectedResponse } from './responses.ts';
import type { AcceptKey, Rejected } from './result.ts';

interface Options {
  verifier: Pick<GrantingVerifier, 'verifyFields'>;
  addressOf: ClientAddress;
  lane: Lane;
}

/** What the response to an accepted key says of it. */
interface Accepted {
  fields: string;
  refusal?: never;
}

type Decision = Accepted | Rejected | { malformed: ApiProblem };

const accept: AcceptKey<Accepted> = (...key) => ({ fields: keyFields(...key) });

/**
 * Answers proxies: `GET` and `HEAD /v1/verify`, and any method on `/v1/verify/*`. It stands ahead of the framework,
 * whose way from a request to a response costs more than all of verifying.
 *
 * Below `/v1/verify/` all of the request but its Authorization belongs to the client of another API, so nothing else of
 * it is judged: no origin, no query, no body. A body stays unread; Node discards it after the response.
 */
export class ForwardAuth {
  readonly #options: Options;
  readonly #lane: Lane;

  constructor(options: Options) {
    this.#options = options;
    this.#lane = options.lane;
  }

  /** @returns false when the request is for another route; it was not touched */
  handle(request: IncomingMessage, response: PreformattedResponse): boolean {
    const route = forwardAuthRoute(request);
    if (route === undefined) return false;
    const isHot = route === '/v1/verify' && request.method === 'GET' && !this.#lane.logs;
    const exchange = { request, response, route, start: isHot ? undefined : performance.now() };
    try {
      const verdict = this.#verify(request);
      if (verdict instanceof Promise) {
        verdict
          .then((late) => this.#answer(exchange, late))
          .catch((error) => this.#lane.fail(exchange, error));
      } else this.#answer(exchange, verdict);
    } catch (error) {
      this.#lane.fail(exchange, error);
    }
    return true;
  }

  #verify(request: IncomingMessage): Decision | Promise<Accepted | Rejected> {
    const fields = readFields(request.rawHeaders);
    const malformed = checkForm(request, fields.hosts);
    if (malformed !== null) return { malformed };
    const { verifier, addressOf } = this.#options;
    const ask = { targets: originalTargets, address: addressOf(request) };
    return verifier.verifyFields(fields, request, ask, accept);
  }

  #answer(exchange: LaneExchange, verdict: Decision): void {
    const lane = this.#lane;
    const id = nextRequestId();
    const now = Date.now();
    const { response, route } = exchange;
    const accepted = route === '/v1/verify' ? 204 : 200;
    if ('malformed' in verdict) {
      lane.send(exchange, errorResponse(verdict.malformed, id, now), id, now);
    } else if (verdict.refusal !== undefined) {
      lane.send(exchange, rejectedResponse(verdict.refusal, id, now), id, now);
    } else if (lane.canSend(response)) {
      response.send(accepted, acceptedHead(accepted, verdict.fields, id, now), '');
      lane.report(exchange, accepted, id);
    } else {
      const fields = acceptedFields(verdict.fields, id);
      lane.send(exchange, { status: accepted, fields, body: '' }, id, now);
    }
  }
}
