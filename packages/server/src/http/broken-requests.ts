import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorCodes } from '@soku/contract/error-codes';
import { nodeHttp } from '../node-http.ts';
import { type ApiProblem, errorBody, errorHeaders } from './errors.ts';
import { type createForeignProtocolLog, foreignProtocolOf } from './foreign-protocols.ts';
import { nextRequestId } from './request-ids.ts';

/** Limits of a request, in bytes and ms. */
export const requestLimits = {
  body: 64 * 1024,
  url: 8 * 1024,
  headers: 16 * 1024,
  headersTime: 10_000,
  requestTime: 30_000,
};

/** How long a client may take to read an error and close its side of the connection, in ms. */
const lingerTime = 2000;

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
 * A connection without input is closed without a response: browsers open connections ahead of their requests, and would
 * take what arrives on one of these for the response to its first request.
 *
 * @param report called when it is another protocol
 */
export function rejectBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  report: ReturnType<typeof createForeignProtocolLog>,
): void {
  const isUnused = 'bytesRead' in socket && socket.bytesRead === 0;
  if (error.code === 'ECONNRESET' || !socket.writable || isUnused) {
    socket.destroy();
    return;
  }
  const foreign = foreignProtocolOf(error, socket);
  if (foreign !== null) report(foreign, socket);
  if (foreign?.response !== undefined) {
    endSoon(socket, foreign.response);
    return;
  }
  const message = foreign?.message ?? problems[error.code ?? ''] ?? 'This is not a well-formed HTTP request.';
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
  endSoon(socket, `HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

/**
 * Sends the last bytes of a connection. It is not closed at once, because that would reset it while the client still
 * sends, and the client would lose the response (RFC 9112 section 9.6). Node watches these connections no longer, so a
 * client that never closes its side would keep a file descriptor open indefinitely.
 */
function endSoon(socket: Duplex, bytes: string | Buffer): void {
  const timer = setTimeout(() => socket.destroy(), lingerTime).unref();
  socket.once('close', () => clearTimeout(timer));
  // A client that has gone before it reads the response.
  socket.on('error', () => socket.destroy());
  socket.end(bytes);
}
