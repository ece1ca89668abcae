import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { ApiProblem } from './errors.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * The origins whose pages may use a session: that of the public URL. On a machine of one's own the names of
 * loopback are one place, so whoever opens 127.0.0.1 in place of localhost is not locked out.
 */
export function ownOrigins(publicUrl: string): string[] {
  const url = new URL(publicUrl);
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  if (!loopback.includes(url.hostname)) return [url.origin];
  const port = url.port === '' ? '' : `:${url.port}`;
  return loopback.map((host) => `${url.protocol}//${host}${port}`);
}

/**
 * Cross-site request forgery (ASVS 5.0 3.5.1): a call that changes something, and does not carry a key, must come
 * from our own pages when a browser sends it. Programs send neither Origin nor Sec-Fetch-Site, and pass.
 *
 * @param usesSession whether a management call is that of a person, whatever Authorization holds
 * @returns the refusal, or null when the call may go on
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
    message: `This call came from another site than ${own[0]}, and was not carried out. If that address is wrong, set SOKU_PUBLIC_URL.`,
  };
}

/** Under /v1/ an Authorization header can decide who calls; the calls of the accounts look at the cookie only. */
function isKeyCall(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined && request.url.startsWith('/v1/');
}

/**
 * No page of another origin may call this API: secret keys do not belong into browsers. A preflight is refused
 * without any CORS header, and whoever reads the answer in the browser's tools is told why.
 *
 * @returns the refusal, or null when the request is no preflight
 */
export function checkPreflight(request: Pick<IncomingMessage, 'method' | 'headers'>): ApiProblem | null {
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
    return null;
  return {
    code: 'cross_origin',
    message:
      'Pages of other origins cannot call this API (there is no CORS), because a secret key does not belong into a browser. Call it from your own server.',
  };
}
