import { type ErrorCode, errorCodes } from '@soku/contract/error-codes';
import type { FastifyReply } from 'fastify';

/** The problem of one field. `path` is like `expiresAt` or `scopes.0`. */
export interface ProblemDetail {
  path: string;
  problem: string;
  keyId?: string;
}

/** Why a request is rejected. It is a value, so that rejecting a key costs no exception. */
export interface ApiProblem {
  code: ErrorCode;
  /** States what is wrong and what to do. Never contains any part of a key. */
  message: string;
  details?: ProblemDetail[];
  /** For insufficient_scope: the required scope (RFC 6750 section 3). */
  scope?: string;
  /** Additional header fields, such as the limit of a 429. */
  headers?: Readonly<Record<string, string>>;
}

/** Thrown by services to reject a request. The error handler sends its problem to the caller. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The problem of a request that failed because of a bug. */
export function internalError(requestId: string): ApiProblem {
  return {
    code: 'internal_error',
    message: `Internal server error. Report the request ID ${requestId} to the operator of this server.`,
  };
}

/** Default Retry-After of a 503, in seconds. */
const retryAfterSeconds = '1';

/**
 * The envelope of every error response.
 *
 * @param now epoch ms
 */
export function errorBody(problem: ApiProblem, requestId: string, now: number) {
  const { code, message, details } = problem;
  return {
    error: {
      type: errorCodes[code].type,
      code,
      message,
      timestamp: new Date(now).toISOString(),
      requestId,
      ...(details === undefined ? {} : { details }),
    },
  };
}

/**
 * The header fields of an error response: the challenge of a 401 or of a missing scope (RFC 6750 section 3, RFC 9110
 * section 11.6.1), Retry-After of a 503, and those of the problem itself.
 */
export function errorHeaders(problem: ApiProblem): Record<string, string> {
  const row = errorCodes[problem.code];
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    ...(row.status === 503 && { 'retry-after': retryAfterSeconds }),
    ...problem.headers,
  };
  if (!('challenge' in row)) return headers;
  const parts = ['Bearer realm="soku"'];
  if (row.challenge !== 'realm') {
    parts.push(`error="${row.challenge}"`, `error_description="${describe(problem.message)}"`);
  }
  if (problem.scope !== undefined) parts.push(`scope="${problem.scope}"`);
  headers['www-authenticate'] = parts.join(', ');
  return headers;
}

/** RFC 6750 section 3 allows %x20-21 / %x23-5B / %x5D-7E in error_description. */
function describe(message: string): string {
  return message.replaceAll('"', "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?');
}

/**
 * Sends an error response.
 *
 * @param now epoch ms
 */
export function sendProblem(
  reply: FastifyReply,
  problem: ApiProblem,
  now: number = Date.now(),
): FastifyReply {
  return reply
    .code(errorCodes[problem.code].status)
    .headers(errorHeaders(problem))
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(problem, reply.request.id, now));
}
