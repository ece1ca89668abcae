/** Whether a string is a URL that the gateway can forward requests to. */
export function isUpstreamUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    `${url.search}${url.hash}${url.username}${url.password}` === ''
  );
}

/**
 * Whether the gateway would call itself, which would create an endless loop.
 *
 * @param upstream a URL that isUpstreamUrl accepts
 * @param host where the gateway listens
 * @param port where the gateway listens
 */
export function wouldLoop(upstream: string, host: string, port: number): boolean {
  const url = new URL(upstream);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const own = ['localhost', '127.0.0.1', '::1', host];
  return own.includes(hostname) && Number(url.port || (url.protocol === 'https:' ? 443 : 80)) === port;
}
