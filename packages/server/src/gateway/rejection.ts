import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes } from '@soku/contract/error-codes';
import { type ApiProblem, errorBody, errorHeaders } from '../http/errors.ts';

/** How much of the body of a refused request is read, in bytes and ms, before the connection is closed over it. */
const lingering = { bytes: 1024 * 1024, time: 2_000 };

/** Whether a body follows the header (RFC 9112 section 6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && !/^0+$/.test(length));
}

/**
 * Whether every server reads the length of the body alike: RFC 9110 section 8.6 allows zeros in front and repetitions
 * in a list, but some servers read 010 as octal, or only one number of a list.
 */
export function hasPlainLength({ headers: { 'content-length': length } }: IncomingMessage): boolean {
  return length === undefined || /^(?:0|[1-9]\d*)$/.test(length);
}

/**
 * Answers a request with a refusal, in the envelope that the main server has.
 *
 * A body that is still on its way is not wanted. The connection is closed behind such an answer, so nothing in the
 * body can be taken for the next request, nor anything behind a length that is not plain; but not at once, because
 * bytes that arrive at a closed connection reset it, and a client that is still sending would lose the answer
 * (RFC 9112 section 9.6).
 *
 * @returns whether the connection is to close, so that nothing more may be read from it
 */
export function sendRejection(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: ApiProblem,
  id: string,
): boolean {
  const body = JSON.stringify(errorBody(refusal, id, Date.now()));
  const fields = {
    ...errorHeaders(refusal),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'x-request-id': id,
  };
  const { status } = errorCodes[refusal.code];
  if (hasPlainLength(request) && (request.complete || !hasBody(request))) {
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
