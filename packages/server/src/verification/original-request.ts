import type { IncomingMessage } from 'node:http';

/** The paths at which proxies ask, as logs and metrics name them. */
export type ForwardAuthRoute = '/v1/verify' | '/v1/verify/*';

const verifyPath = '/v1/verify';

/** Where Envoy asks: it appends the path and query of the original request, and keeps its method. */
const originalPrefix = `${verifyPath}/`;

/** nginx sends the first as configured, ingress-nginx the second, Caddy and Traefik the third on their own. */
const targetHeaders = ['x-original-uri', 'x-original-url', 'x-forwarded-uri'];

const methodHeaders = ['x-original-method', 'x-forwarded-method'];

/** @returns undefined when the request is for another route */
export function forwardAuthRoute({ method, url = '' }: IncomingMessage): ForwardAuthRoute | undefined {
  const target = url.startsWith(verifyPath) ? url : usualTarget(url);
  if (target.startsWith(originalPrefix)) return '/v1/verify/*';
  if (!target.startsWith(verifyPath) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const isWhole = target.length === verifyPath.length || '?#'.includes(target.charAt(verifyPath.length));
  return isWhole ? verifyPath : undefined;
}

/**
 * A request target as most clients write it. One may also be a whole URL (RFC 9112 section 3.2.2), and may
 * percent-encode letters (RFC 3986 section 6.2.2.2).
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
 * Paths (or URLs) and queries of the request that a proxy asks about, so that a key in *its* query is found. Proxies
 * pass on fields that they don't set, so all are read: a client that adds one can't hide another. They only make a
 * rejection stricter or more exact.
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
