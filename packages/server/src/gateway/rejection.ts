import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes } from '@soku/contract/error-codes';
import { type ApiProblem, errorBody, errorHeaders } from '../http/errors.ts';

/** How much of a rejected request's body is read, in bytes and ms, before the connection is closed. */
const lingering = { bytes: 1024 * 1024, time: 2_000 };

/** Whether a body follows the header (RFC 9112 section 6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && !/^0+$/.test(length));
}

/**
 * Whether every server interprets the body length the same way: RFC 9110 section 8.6 allows leading zeros and
 * repetitions in a list, but some servers read 010 as octal, or only one number of a list.
 */
export function hasUnambiguousLength({ headers: { 'content-length': length } }: IncomingMessage): boolean {
  return length === undefined || /^(?:0|[1-9]\d*)$/.test(length);
}

/**
 * Sends a rejection in the same envelope as the main server.
 *
 * If the body is still arriving, or its length is ambiguous, the connection is closed after the response, so nothing in
 * the body can be interpreted as the next request. It is not closed at once, because bytes that arrive at a closed
 * connection reset it, and a client that is still sending would lose the response (RFC 9112 section 9.6).
 *
 * @returns whether the connection is closing, so that nothing more may be read from it
 */
export function sendRejection(
  request: IncomingMessage,
  response: ServerResponse,
  problem: ApiProblem,
  id: string,
): boolean {
  const body = JSON.stringify(errorBody(problem, id, Date.now()));
  const fields = {
    ...errorHeaders(problem),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'x-request-id': id,
  };
  const { status } = errorCodes[problem.code];
  if (hasUnambiguousLength(request) && (request.complete || !hasBody(request))) {
    response.writeHead(status, fields).end(body);
    return false;
  }
  response.writeHead(status, { ...fields, connection: 'close' }).write(body);
  linger(request, response);
  return true;
}

function linger(request: IncomingMessage, response: ServerResponse): void {
  let left = lingering.bytes;
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingering.time);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) finish();
  });
  request.once('end', finish);
  response.once('close', finish);
}
