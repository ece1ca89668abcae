import type { IncomingMessage } from 'node:http';

/** nginx is told by us to send the first; Caddy and Traefik send the second by themselves. */
const headers = ['x-original-uri', 'x-forwarded-uri'];

/**
 * Path and query of the request that a proxy asks about, so that a key in *its* query is found. These headers
 * only ever make an answer stricter or more exact, so it does no harm that a client can write them.
 */
export function originalTarget(request: IncomingMessage): string {
  for (const name of headers) {
    const value = request.headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return request.url ?? '/';
}
