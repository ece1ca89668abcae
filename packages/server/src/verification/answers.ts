import { errorCodes } from '@soku/contract/error-codes';
import { errorBody, errorHeaders } from '../http/errors.ts';
import { limitFields } from '../limits/fields.ts';
import type { VerifiedKey } from './known-secret.ts';
import type { Verdict } from './verdict.ts';

/** A whole answer, whoever writes it. */
export interface Answer {
  status: number;
  /** Names in small letters. */
  fields: Record<string, string>;
  /** '' when there is none. */
  body: string;
}

/** Who a key is, for what stands behind the proxy or the gateway. ASCII, and nothing that means anything in a list. */
export function identityFields(key: VerifiedKey): Record<string, string> {
  return {
    'x-soku-key-id': key.keyId,
    'x-soku-workspace-id': key.workspaceId,
    'x-soku-key-name': encodeURIComponent(key.name),
    'x-soku-scopes': key.scopes.join(' '),
  };
}

/** Fields of every answer to a proxy. It is read by programs, so of the security fields only this one matters. */
export const constantFields = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/**
 * The answer to a proxy that asks about a request (GET /v1/verify). A refusal tells its status and its envelope in
 * fields, too, because nginx's auth_request hands on neither the body nor another status than 401 and 403.
 *
 * @param now epoch ms
 */
export function forwardAuthAnswer(verdict: Verdict, requestId: string, now: number): Answer {
  const { key, refusal } = verdict;
  const fields: Record<string, string> = { ...constantFields, 'x-request-id': requestId };
  if (refusal === undefined) {
    Object.assign(fields, identityFields(key), verdict.limit === null ? {} : limitFields(verdict.limit));
    return { status: 204, fields, body: '' };
  }
  const { status } = errorCodes[refusal.code];
  const envelope = errorBody(refusal, requestId, now);
  const body = JSON.stringify(envelope);
  Object.assign(fields, errorHeaders(refusal), {
    'content-type': 'application/json; charset=utf-8',
    'x-soku-status': String(status),
    'x-soku-error': ascii(body),
  });
  return { status, fields, body };
}

/** JSON that fits into a header field: everything outside ASCII as an escape. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
