import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** Tells the address of the client that a request came from. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * The client's address is the socket's, unless that is a trusted proxy's: then it is the last entry of
 * X-Forwarded-For that no trusted proxy made (ASVS 5.0 4.1.3).
 *
 * @param trusted addresses and ranges of proxies
 * @returns '' when the connection has ended, and with it the knowledge of whose it was
 */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  if (trusted.length === 0) return (request) => plainAddress(request.socket.remoteAddress ?? '');
  const trust = proxyAddr.compile([...trusted]);
  return (request) => {
    // Undefined once the client has hung up; any text that it likes, when a proxy passes the field on unchanged.
    const told: string | undefined = proxyAddr(request, trust);
    return plainAddress(told !== undefined && isAddress(told) ? told : (request.socket.remoteAddress ?? ''));
  };
}

/**
 * Tells whether a request comes from a trusted proxy itself, so that what it says of the client is believed.
 *
 * @param trusted addresses and ranges of proxies
 */
export function trustedPeer(trusted: readonly string[]): (request: IncomingMessage) => boolean {
  if (trusted.length === 0) return () => false;
  const trust = proxyAddr.compile([...trusted]);
  return (request) => trust(request.socket.remoteAddress ?? '', 0);
}

/** Not with a zone (`fe80::1%eth0`): that can be any text of any length, and so a key. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/**
 * A socket that listens on IPv6 as well tells IPv4 addresses in IPv6's form (RFC 4291 section 2.5.5.2). That and the
 * zone are about this machine, and not about the client.
 */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
}
