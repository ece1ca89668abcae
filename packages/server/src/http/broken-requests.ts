import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorCodes } from '@soku/contract/error-codes';
import { nodeHttp } from '../node-http.ts';
import { type ApiProblem, errorBody, errorHeaders } from './errors.ts';
import { nextRequestId } from './request-ids.ts';

/** Limits of a request, in bytes and ms. */
export const requestLimits = {
  body: 64 * 1024,
  url: 8 * 1024,
  headers: 16 * 1024,
  headersTime: 10_000,
  requestTime: 30_000,
};

const problems: Record<string, string> = {
  HPE_HEADER_OVERFLOW: `The headers are larger than ${requestLimits.headers} bytes.`,
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/**
 * Checks what a server must reject in any request. Node's own check of the Host header is disabled, because its
 * response would not have the error envelope.
 *
 * @param hosts number of Host fields
 */
export function checkRequestForm(
  { url = '', httpVersion }: IncomingMessage,
  hosts: number,
): ApiProblem | null {
  if (url.length > requestLimits.url) {
    return { code: 'invalid_request', message: `The URL is longer than ${requestLimits.url} bytes.` };
  }
  // RFC 9112 section 3.2.
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return { code: 'invalid_request', message: 'The request must have one Host header.' };
  }
  return null;
}

/**
 * Rejects input that is not a complete request: not HTTP, headers too large, or too slow. It is never echoed or logged.
 */
export function rejectBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const message = problems[error.code ?? ''] ?? 'This is not a well-formed HTTP request.';
  rejectOnSocket(socket, { code: 'invalid_request', message });
}

/** Sends an error without a request object, and closes the connection. */
export function rejectOnSocket(socket: Duplex, problem: ApiProblem): void {
  const id = nextRequestId();
  const body = JSON.stringify(errorBody(problem, id, Date.now()));
  const { status } = errorCodes[problem.code];
  const fields = {
    ...errorHeaders(problem),
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'x-request-id': id,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}
