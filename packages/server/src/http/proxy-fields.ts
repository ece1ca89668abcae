/**
 * Header fields in which proxies tell the server behind them who the client is and what it asked for. A client can
 * write them just as well, so they mean something only when they come from a trusted proxy.
 */

const prefixes = [
  'x-forwarded-',
  // The request before a proxy rewrote it: -URI, -URL, -Method, -Host, -Forwarded-For. Some frameworks route by it.
  'x-original-',
  'x-envoy-',
  // The user that a single sign-on proxy has signed in.
  'x-auth-request-',
  'x-remote-',
  'remote-',
];

const names = new Set([
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-pseudo-ipv4',
  'client-ip',
  'do-connecting-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'forwarded',
  'forwarded-for',
  'true-client-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded',
  'x-host',
  'x-nf-client-connection-ip',
  'x-originating-ip',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-rewrite-url',
  'x-true-client-ip',
  'x-vercel-forwarded-for',
]);

/**
 * Writes a field name as a program behind a proxy may read it. CGI, and what came of it (WSGI, PHP, Rack), make one
 * variable of `X-Real-IP` and `X_Real_IP`.
 */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return /[^a-z0-9-]/.test(lower) ? lower.replace(/[^a-z0-9-]/g, '-') : lower;
}

/**
 * Whether a field speaks of the client or its request as only a proxy may.
 *
 * @param name canonical
 */
export function isProxyField(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
