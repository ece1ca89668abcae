/**
 * Header fields in which proxies describe the client and its original request to the server behind them. Clients can
 * also send them, so they are meaningful only from a trusted proxy.
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

/** The first letters of all these names, as bits. */
const initials = [...prefixes, ...names].reduce((bits, name) => bits | initialOf(name), 0);

/** The bit of the first letter, in either case; 0 if the name starts with anything else. */
function initialOf(name: string): number {
  const letter = (name.charCodeAt(0) | 0x20) - 97;
  return letter >= 0 && letter < 26 ? 1 << letter : 0;
}

/**
 * Whether a name may be that of such a field, by its first letter. This rules out most fields of a request at the cost
 * of reading one character.
 *
 * @param name as received
 */
export function mayBeProxyField(name: string): boolean {
  const initial = initialOf(name);
  return initial === 0 || (initials & initial) !== 0;
}

/**
 * Normalizes a field name as programs behind a proxy may read it. CGI and its successors (WSGI, PHP, Rack) map
 * `X-Real-IP` and `X_Real_IP` to the same variable.
 */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return /[^a-z0-9-]/.test(lower) ? lower.replace(/[^a-z0-9-]/g, '-') : lower;
}

/**
 * Whether a field describes the client or its request, which only a proxy may do.
 *
 * @param name canonical
 */
export function isProxyField(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
