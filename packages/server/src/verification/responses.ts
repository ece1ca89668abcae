import { errorCodes } from '@soku/contract/error-codes';
import { type ApiProblem, errorBody, errorHeaders } from '../http/errors.ts';

/** A complete response, independent of how it is written. */
export interface PlainResponse {
  status: number;
  /** Lowercase names. */
  fields: Record<string, string>;
  /** '' if there is none. */
  body: string;
}

/** Fields of every response to a proxy. Only programs read it, so this is the only security field that matters. */
export const commonFields = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/**
 * The response to a proxy whose request is rejected (forward-auth). The rejection is repeated in `X-Soku-Status` and
 * `X-Soku-Error`, because nginx's auth_request forwards neither the body nor a status other than 401 and 403.
 *
 * @param now epoch ms
 */
export function rejectedResponse(problem: ApiProblem, requestId: string, now: number): PlainResponse {
  const { status, fields, body } = errorResponse(problem, requestId, now);
  Object.assign(fields, { 'x-soku-status': String(status), 'x-soku-error': ascii(body) });
  return { status, fields, body };
}

/** A rejection without the extra fields for proxies. @param now epoch ms */
export function errorResponse(problem: ApiProblem, requestId: string, now: number): PlainResponse {
  const fields = {
    'x-request-id': requestId,
    ...commonFields,
    ...errorHeaders(problem),
    'content-type': 'application/json; charset=utf-8',
  };
  const body = JSON.stringify(errorBody(problem, requestId, now));
  return { status: errorCodes[problem.code].status, fields, body };
}

/** Escapes everything outside ASCII, so that the JSON fits into a header field. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
