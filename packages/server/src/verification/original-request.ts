import type { IncomingMessage } from 'node:http';

/** The routes that proxies call, as logs and metrics name them. */
export type ForwardAuthRoute = '/v1/verify' | '/v1/verify/*';

const verifyPath = '/v1/verify';

/** The prefix for Envoy, which appends the original path and query and keeps the method. */
const originalPrefix = `${verifyPath}/`;

/** nginx sends the first if configured, ingress-nginx the second, and Caddy and Traefik the third by default. */
const targetHeaders = ['x-original-uri', 'x-original-url', 'x-forwarded-uri'];

const methodHeaders = ['x-original-method', 'x-forwarded-method'];

/** @returns undefined if the request is for another route */
export function forwardAuthRoute({ method, url = '' }: IncomingMessage): ForwardAuthRoute | undefined {
  const target = url.startsWith(verifyPath) ? url : usualTarget(url);
  if (target.startsWith(originalPrefix)) return '/v1/verify/*';
  if (!target.startsWith(verifyPath) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const isWhole = target.length === verifyPath.length || '?#'.includes(target.charAt(verifyPath.length));
  return isWhole ? verifyPath : undefined;
}

/**
 * Normalizes a request target, which may also be an absolute URL (RFC 9112 section 3.2.2) or percent-encode letters
 * (RFC 3986 section 6.2.2.2).
 */
function usualTarget(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '');
  const [path = ''] = target.split(/[?#]/, 1);
  if (!path.includes('%')) return target;
  try {
    return decodeURI(path);
  } catch {
    return target;
  }
}

/**
 * The targets (paths or URLs, with queries) of the original request, so that a key in *its* query is found. Proxies
 * forward fields that they do not set, so all fields are read: a client cannot hide one by adding another. They only
 * make a rejection stricter or more precise.
 */
export function originalTargets(request: IncomingMessage): readonly string[] {
  const { url = '/' } = request;
  const sent = valuesOf(request, targetHeaders);
  if (url.startsWith(originalPrefix)) sent.push(url.slice(originalPrefix.length - 1));
  return sent.length === 0 ? [url] : sent;
}

/** Whether the original request is a CORS preflight, which a browser always sends without credentials. */
export function isOriginalPreflight(request: IncomingMessage): boolean {
  const [method = request.method] = valuesOf(request, methodHeaders);
  return method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

function valuesOf({ headers }: IncomingMessage, names: readonly string[]): string[] {
  return names.flatMap((name) => headers[name] || []);
}
