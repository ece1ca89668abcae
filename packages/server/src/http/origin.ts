import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { ApiProblem } from './errors.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * The origins whose pages may use a session: that of the public URL. If it is a loopback name, all loopback names are
 * equivalent, so that 127.0.0.1 works as well as localhost.
 */
export function allowedOrigins(publicUrl: string): string[] {
  const url = new URL(publicUrl);
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  if (!loopback.includes(url.hostname)) return [url.origin];
  const port = url.port === '' ? '' : `:${url.port}`;
  return loopback.map((host) => `${url.protocol}//${host}${port}`);
}

/**
 * Prevents cross-site request forgery (ASVS 5.0 3.5.1): a browser may send a changing call without a key only from the
 * dashboard's own pages. Programs send neither Origin nor Sec-Fetch-Site and pass.
 *
 * @param usesSession whether a session authenticates a management call, whatever its Authorization header contains
 * @returns the problem, or null when the call is allowed
 */
export function checkOrigin(
  request: FastifyRequest,
  own: readonly string[],
  usesSession: (request: IncomingMessage) => boolean,
): ApiProblem | null {
  if (safeMethods.has(request.method)) return null;
  if (isKeyCall(request) && !usesSession(request.raw)) return null;
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined ? own.includes(origin) : site === undefined || site === 'same-origin') return null;
  return {
    code: 'cross_origin',
    message: `This call did not come from ${own[0]} and was rejected. If that address is wrong, set SOKU_PUBLIC_URL.`,
  };
}

/** Calls under /v1/ may authenticate with an Authorization header. Account calls only use the cookie. */
function isKeyCall(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined && request.url.startsWith('/v1/');
}

/**
 * Rejects CORS preflights: pages of other origins must not call this API, because secret keys must never be in a
 * browser. The response has no CORS headers, and its body states the reason for developers.
 *
 * @returns the problem, or null when the request is not a preflight
 */
export function checkPreflight(request: Pick<IncomingMessage, 'method' | 'headers'>): ApiProblem | null {
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
    return null;
  return {
    code: 'cross_origin',
    message:
      'Pages of other origins cannot call this API (no CORS), because secret keys must never be in a browser. Call it from your server.',
  };
}
