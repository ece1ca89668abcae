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
  if (trusted.length === 0) return (request) => plain(request.socket.remoteAddress ?? '');
  const trust = proxyAddr.compile([...trusted]);
  return (request) => {
    // Undefined once the client has hung up; any text that it likes, when a proxy passes the field on unchanged.
    const told: string | undefined = proxyAddr(request, trust);
    return plain(told !== undefined && isIP(told) !== 0 ? told : (request.socket.remoteAddress ?? ''));
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

/** A socket that listens on IPv6 as well tells IPv4 addresses in IPv6's form (RFC 4291 section 2.5.5.2). */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
