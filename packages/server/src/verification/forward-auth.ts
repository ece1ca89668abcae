import type { IncomingMessage } from 'node:http';
import { checkRequestForm } from '../http/broken-requests.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { ApiProblem } from '../http/errors.ts';
import { memoize } from '../http/memoize.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { nextRequestId } from '../http/request-ids.ts';
import type { FastPath, FastPathRequest } from './fast-path.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import { type KeyRequirements, readKeyRequirements } from './key-requirements.ts';
import { type ForwardAuthRoute, forwardAuthRoute, originalTargets } from './original-request.ts';
import { type RequestFields, readFields } from './request-fields.ts';
import { acceptedFields, formatAcceptedHead, formatKeyFields } from './response-text.ts';
import { errorResponse, rejectedResponse } from './responses.ts';
import type { AcceptKey, Rejected } from './result.ts';

interface Options {
  verifier: Pick<GrantingVerifier, 'verifyFields'>;
  addressOf: ClientAddress;
  fastPath: FastPath;
}

/** An accepted key, as the header fields of its response. */
interface Accepted {
  fields: string;
  problem?: never;
}

type Decision = Accepted | Rejected | { malformed: ApiProblem };

const accept: AcceptKey<Accepted> = (...key) => ({ fields: formatKeyFields(...key) });

/** A URL and, after a line break, the scopes of the header field, if there is one. Most requests state the same. */
const readStated = memoize((stated): KeyRequirements => {
  const [url = '', scopes] = stated.split('\n');
  const start = url.indexOf('?');
  return readKeyRequirements(start === -1 ? '' : url.slice(start + 1), scopes);
});

const noRequirements = readStated('');

function requirementsIn(
  url: string,
  route: ForwardAuthRoute,
  { requiredScopes }: RequestFields,
): KeyRequirements {
  // Below /v1/verify/, the query belongs to the client of another API.
  const own = route === '/v1/verify' && url !== route ? url : '';
  if (requiredScopes !== undefined) return readStated(`${own}\n${requiredScopes}`);
  return own === '' ? noRequirements : readStated(own);
}

/**
 * Responds to proxies: `GET` and `HEAD /v1/verify`, and any method on `/v1/verify/*`. It runs ahead of the framework,
 * whose request handling costs more than the verification.
 *
 * Below `/v1/verify/`, everything but the Authorization header and X-Soku-Require-Scopes belongs to the client of
 * another API, so nothing else is checked: no origin, no query, no body. The body is not read; Node discards it after
 * the response.
 */
export class ForwardAuth {
  readonly #options: Options;
  readonly #fastPath: FastPath;

  constructor(options: Options) {
    this.#options = options;
    this.#fastPath = options.fastPath;
  }

  /** @returns false if the request is for another route; it was not touched */
  handle(request: IncomingMessage, response: PreformattedResponse): boolean {
    const route = forwardAuthRoute(request);
    if (route === undefined) return false;
    const isHot = route === '/v1/verify' && request.method === 'GET' && !this.#fastPath.logsEachRequest;
    const exchange = { request, response, route, start: isHot ? undefined : performance.now() };
    try {
      const result = this.#verify(request, route);
      if (result instanceof Promise) {
        result
          .then((resolved) => this.#respond(exchange, resolved))
          .catch((error) => this.#fastPath.fail(exchange, error));
      } else this.#respond(exchange, result);
    } catch (error) {
      this.#fastPath.fail(exchange, error);
    }
    return true;
  }

  #verify(request: IncomingMessage, route: ForwardAuthRoute): Decision | Promise<Accepted | Rejected> {
    const fields = readFields(request.rawHeaders);
    const malformed = checkRequestForm(request, fields.hosts);
    if (malformed !== null) return { malformed };
    const { verifier, addressOf } = this.#options;
    const { needs, denied, environment, workspaceId } = requirementsIn(request.url ?? '', route, fields);
    const address = addressOf(request);
    const options = { targets: originalTargets, address, needs, denied, environment, workspaceId };
    return verifier.verifyFields(fields, request, options, accept);
  }

  #respond(exchange: FastPathRequest, result: Decision): void {
    const fastPath = this.#fastPath;
    const id = nextRequestId();
    const now = Date.now();
    const { response, route } = exchange;
    const accepted = route === '/v1/verify' ? 204 : 200;
    if ('malformed' in result) {
      fastPath.send(exchange, errorResponse(result.malformed, id, now), id, now);
    } else if (result.problem !== undefined) {
      fastPath.send(exchange, rejectedResponse(result.problem, id, now), id, now);
    } else if (fastPath.canSend(response)) {
      response.send(accepted, formatAcceptedHead(accepted, result.fields, id, now), '');
      fastPath.report(exchange, accepted, id);
    } else {
      const fields = acceptedFields(result.fields, id);
      fastPath.send(exchange, { status: accepted, fields, body: '' }, id, now);
    }
  }
}
