import type { IncomingMessage } from 'node:http';

/** Where Envoy asks: it appends the path and query of the original request, and keeps its method. */
export const originalPrefix = '/v1/verify/';

/** nginx sends the first as configured, ingress-nginx the second, Caddy and Traefik the third on their own. */
const targetHeaders = ['x-original-uri', 'x-original-url', 'x-forwarded-uri'];

const methodHeaders = ['x-original-method', 'x-forwarded-method'];

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

/**
 * A URL under `originalPrefix` that has a route whatever its path is: the framework decodes paths, and rejects `%E9`,
 * although the API may well know it. Nobody reads the path, so each percent sign stands for itself.
 */
export function routableUrl(url: string): string {
  if (!url.startsWith(originalPrefix)) return url;
  return url.replace(/^[^?#]*/, (path) => path.replaceAll('%', '%25'));
}

/** Whether the original request is a CORS preflight, which a browser always sends without credentials. */
export function isOriginalPreflight(request: IncomingMessage): boolean {
  const [method = request.method] = valuesOf(request, methodHeaders);
  return method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

function valuesOf({ headers }: IncomingMessage, names: readonly string[]): string[] {
  return names.flatMap((name) => headers[name] || []);
}
