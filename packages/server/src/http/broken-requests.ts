import type { Duplex } from 'node:stream';
import { errorBody } from './errors.ts';
import { nextRequestId } from './request-ids.ts';

/** Bounds of a request, in bytes and ms. */
export const limits = {
  body: 64 * 1024,
  url: 8 * 1024,
  headers: 16 * 1024,
  headersTime: 10_000,
  requestTime: 30_000,
};

const problems: Record<string, string> = {
  HPE_HEADER_OVERFLOW: `The headers are larger than ${limits.headers} bytes.`,
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/** What never became a request: not HTTP, headers too large, or too slow. The bytes are neither answered nor logged. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  refuseOnSocket(socket, problems[error.code ?? ''] ?? 'This is not a well-formed HTTP request.');
}

/** Answers 400 where there is no request that Node could answer, and sends no more over that connection. */
export function refuseOnSocket(socket: Duplex, message: string): void {
  const id = nextRequestId();
  const body = JSON.stringify(errorBody({ code: 'invalid_request', message }, id, Date.now()));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n` +
      `X-Content-Type-Options: nosniff\r\nX-Request-Id: ${id}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
