import { errorCodes } from '@soku/contract/error-codes';
import { type ApiProblem, errorBody, errorHeaders } from '../http/errors.ts';

/** A whole answer, whoever writes it. */
export interface PlainResponse {
  status: number;
  /** Names in small letters. */
  fields: Record<string, string>;
  /** '' when there is none. */
  body: string;
}

/** Fields of every answer to a proxy. It is read by programs, so of the security fields only this one matters. */
export const constantFields = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/**
 * The response to a proxy whose request is refused (forward-auth). The rejection also comes in `X-Soku-Status` and
 * `X-Soku-Error`, because nginx's auth_request hands on neither the body nor another status than 401 and 403.
 *
 * @param now epoch ms
 */
export function rejectedResponse(refusal: ApiProblem, requestId: string, now: number): PlainResponse {
  const { status, fields, body } = errorResponse(refusal, requestId, now);
  Object.assign(fields, { 'x-soku-status': String(status), 'x-soku-error': ascii(body) });
  return { status, fields, body };
}

/** The response to a request that is rejected before its key is looked at. @param now epoch ms */
export function errorResponse(refusal: ApiProblem, requestId: string, now: number): PlainResponse {
  const fields = {
    'x-request-id': requestId,
    ...constantFields,
    ...errorHeaders(refusal),
    'content-type': 'application/json; charset=utf-8',
  };
  const body = JSON.stringify(errorBody(refusal, requestId, now));
  return { status: errorCodes[refusal.code].status, fields, body };
}

/** JSON that fits into a header field: everything outside ASCII as an escape. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
