import type { IncomingMessage } from 'node:http';
import { canonicalSocketAddress, parseForwardedNode } from './address.ts';
import { nodeOfElement, startOfLastElement } from './forwarded.ts';
import { memoize } from './memoize.ts';
import { canonicalName, isProxyField, mayBeProxyField } from './proxy-fields.ts';
import { createAddressMatcher } from './trusted-proxies.ts';

/** The header fields that can name the client. Only one of them is read. */
export const addressHeaders = ['x-forwarded-for', 'forwarded'] as const;
export type AddressHeader = (typeof addressHeaders)[number];

/**
 * Returns the canonical address of the client of a request, or `unknownClient`. Everything that depends on the client
 * uses this function: limits, sessions, usage, logs, the gateway.
 */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Replaces the address of a client that has disconnected, or that a trusted proxy did not name in a readable way. It is
 * not an address, so it is neither local nor trusted, and limits count all such clients as one. The term is from RFC
 * 7239.
 */
export const unknownClient = 'unknown';

/**
 * Maximum number of entries to read: more than any chain of proxies, and a limit on the work that a header can cause.
 */
const maxEntries = 64;

/** A parsed entry: a canonical address, or null when it is unreadable. */
interface Entry {
  address: string | null;
  trusted: boolean;
}

interface Format {
  /** Index at which the last entry before `end` begins. */
  start: (list: string, end: number) => number;
  /** Parses the canonical address in an entry; null when it is unreadable. */
  read: (entry: string) => string | null;
}

const formats: Record<AddressHeader, Format> = {
  'x-forwarded-for': {
    // With `end` 0 the list is empty, and lastIndexOf would take -1 for 0.
    start: (list, end) => (end === 0 ? 0 : list.lastIndexOf(',', end - 1) + 1),
    read: (entry) => parseForwardedNode(unquoted(entry.trim())),
  },
  forwarded: {
    start: startOfLastElement,
    read: (element) => parseForwardedNode(nodeOfElement(element) ?? ''),
  },
};

/**
 * Creates the function that identifies clients. The client's address is the peer of the socket, unless that is a
 * trusted proxy: then it is the last entry of the header that is not a trusted proxy (ASVS 5.0 4.1.3). Entries are read
 * from the end, where the nearest proxy wrote, up to the first one that is untrusted or unreadable: anyone may have
 * written the entries before it.
 *
 * @param trusted addresses and ranges of proxies
 * @param header the only field that is read; a proxy forwards the other one as the client sent it
 */
export function createClientAddress(trusted: readonly string[], header: AddressHeader): ClientAddress {
  if (trusted.length === 0)
    return ({ socket }) => canonicalSocketAddress(socket.remoteAddress ?? unknownClient);
  const matches = createAddressMatcher(trusted);
  const isTrusted = memoize((peer) => peer !== unknownClient && matches(peer));
  const { start, read } = formats[header];
  const readEntry = memoize((entry): Entry => {
    const address = read(entry);
    return { address, trusted: address !== null && matches(address) };
  });
  return ({ socket, rawHeaders }) => {
    const peer = canonicalSocketAddress(socket.remoteAddress ?? unknownClient);
    if (!isTrusted(peer)) return peer;
    return lastUntrusted(valuesOf(rawHeaders, header), start, readEntry) ?? peer;
  };
}

/**
 * Creates the function that checks whether a request comes directly from a trusted proxy, whose statements about the
 * client are trusted.
 *
 * @param trusted addresses and ranges of proxies
 */
export function createTrustedPeerCheck(trusted: readonly string[]): (request: IncomingMessage) => boolean {
  if (trusted.length === 0) return () => false;
  const isTrusted = memoize(createAddressMatcher(trusted));
  return ({ socket }) =>
    socket.remoteAddress !== undefined && isTrusted(canonicalSocketAddress(socket.remoteAddress));
}

/**
 * Creates the function that checks whether a request came through a proxy that does not name the client in a way that
 * is trusted. The client address is then that of the proxy, which a key must not allow: everyone could use the key.
 * Header fields that only proxies send show it, although a client that connects directly can send them, too.
 *
 * @param trusted addresses and ranges of proxies
 * @param header the only field that is read
 */
export function createHiddenClientCheck(
  trusted: readonly string[],
  header: AddressHeader,
): (request: IncomingMessage) => boolean {
  const isTrusted = createTrustedPeerCheck(trusted);
  const isProxyFieldName = memoize((name) => isProxyField(canonicalName(name)));
  return (request) => {
    const { rawHeaders } = request;
    if (isTrusted(request) && hasField(rawHeaders, header)) return false;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      if (mayBeProxyField(name) && isProxyFieldName(name)) return true;
    }
    return false;
  };
}

/**
 * @param values of the header, in order
 * @returns the first entry when all are trusted; null when there is no entry
 */
function lastUntrusted(
  values: readonly string[],
  start: Format['start'],
  readEntry: (entry: string) => Entry,
): string | null {
  let first: string | null = null;
  let entries = 0;
  for (const value of values.toReversed()) {
    for (let end = value.length; end >= 0; ) {
      const begin = start(value, end);
      const { address, trusted } = readEntry(value.slice(begin, end));
      entries += 1;
      if (address === null || entries > maxEntries) return unknownClient;
      if (!trusted) return address;
      first = address;
      end = begin - 1;
    }
  }
  return first;
}

/** Avoids `headers`, because Node builds that object from all fields at its first use, and few requests need it. */
function valuesOf(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (isField(raw[i] ?? '', name)) values.push(raw[i + 1] ?? '');
  }
  return values;
}

function hasField(raw: readonly string[], name: string): boolean {
  for (let i = 0; i < raw.length; i += 2) if (isField(raw[i] ?? '', name)) return true;
  return false;
}

/** @param received in any case. @param name lowercase */
function isField(received: string, name: string): boolean {
  return received.length === name.length && received.toLowerCase() === name;
}

function unquoted(entry: string): string {
  return entry.length > 1 && entry.startsWith('"') && entry.endsWith('"') ? entry.slice(1, -1) : entry;
}
