import { containsKey, decodePercent } from '@soku/key';
import type { FastifyInstance } from 'fastify';
import { type ApiProblem, type ProblemDetail, sendProblem } from '../http/errors.ts';
import { isQueryUtf8 } from '../http/utf8.ts';
import { hasKeyInQuery } from '../verification/credentials.ts';

/** RFC 9112 section 3.2.2 allows a client to send the whole URL. */
const management = /^(?:https?:\/\/[^/]*)?\/(?:v1|api)\//i;

/** Calls that verify the request's own key. They have separate codes for a key in the URL (401). */
const verification = /^(?:https?:\/\/[^/]*)?\/v1\/(?:me|verify)(?:\/|$)/i;

const notUtf8: ApiProblem = {
  code: 'invalid_request',
  message: 'The query string is not UTF-8. Percent-encode the UTF-8 bytes of each character.',
};

/**
 * Rejects every management call whose URL contains a key, in any parameter, before anything reads it: proxies log URLs,
 * and browsers keep them in the history (ASVS 5.0 14.2.1). Also rejects a query that is not UTF-8, which would be
 * misread.
 *
 * @param prefixes accepted key prefixes
 */
export function rejectKeysInUrls(app: FastifyInstance, prefixes: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    const { authorization = '', cookie } = request.headers;
    const { url } = request;
    const problem = findUrlProblem(url, prefixes);
    if (problem === null) return;
    // Without other credentials, the key was meant as credentials (401 key_in_query).
    if (authorization === '' && cookie === undefined && hasKeyInQuery(url, prefixes)) return;
    return sendProblem(reply, problem);
  });
}

/**
 * @param url path and query, as received
 * @returns the error, which names the parameter but repeats no part of the key; null when the call is allowed
 */
export function findUrlProblem(url: string, prefixes: readonly string[]): ApiProblem | null {
  const [path = '', ...rest] = url.split('?');
  const query = rest.join('?');
  const decodedPath = decodePercent(path);
  if (!management.test(decodedPath) || verification.test(decodedPath)) return null;
  const holds = (text: string) => containsKey(decodePercent(text), prefixes);
  if (!holds(url)) return isQueryUtf8(query) ? null : notUtf8;
  const parameter = query.split('&').find(holds);
  const name = decodePercent(parameter?.split('=', 1)[0] ?? '');
  const place = parameter === undefined ? (holds(path) ? 'path' : 'query') : name;
  const detail: ProblemDetail = {
    path: /^\w{1,40}$/.test(place) && !holds(place) ? place : 'query',
    problem: 'must not contain an API key',
  };
  return {
    code: 'invalid_request',
    message:
      'The URL contains an API key, and URLs end up in logs and histories. Revoke that key. To find a key, send its SHA-256 as the parameter hash of GET /v1/api-keys. To authenticate, use the header Authorization: Bearer.',
    details: [detail],
  };
}
