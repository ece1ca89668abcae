import type { IncomingMessage } from 'node:http';
import { plainAddress, readNode } from './address.ts';
import { cached } from './cached.ts';
import { nodeOfElement, startOfLastElement } from './forwarded.ts';
import { addressMatcher } from './trusted-proxies.ts';

/** The header fields that can name the client: exactly one of them is read. */
export const addressHeaders = ['x-forwarded-for', 'forwarded'] as const;
export type AddressHeader = (typeof addressHeaders)[number];

/**
 * Returns the canonical address of the client that a request came from, or `unknownClient`. Everything that depends
 * on who the client is asks this function: limits, sessions, usage, logs, the gateway.
 */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * In place of the address of a client that a trusted proxy did not name in a readable way, or that has hung up. It is
 * no address, so it is neither local nor trusted, and limits count all such clients as one. The word is RFC 7239's.
 */
export const unknownClient = 'unknown';

/** Most entries that are read: longer than any chain of proxies, and a bound to the work that a header can cause. */
const mostEntries = 64;

/** What an entry says: a canonical address, or null when none can be read. */
interface Entry {
  address: string | null;
  trusted: boolean;
}

interface Format {
  /** Index at which the last entry before `end` begins. */
  start: (list: string, end: number) => number;
  /** The canonical address in an entry; null when none can be read. */
  read: (entry: string) => string | null;
}

const formats: Record<AddressHeader, Format> = {
  'x-forwarded-for': {
    // With `end` 0 the list is empty, and lastIndexOf would take -1 for 0.
    start: (list, end) => (end === 0 ? 0 : list.lastIndexOf(',', end - 1) + 1),
    read: (entry) => readNode(unquoted(entry.trim())),
  },
  forwarded: {
    start: startOfLastElement,
    read: (element) => readNode(nodeOfElement(element) ?? ''),
  },
};

/**
 * Makes the function that tells clients apart. The client's address is the socket's, unless that is a trusted
 * proxy's: then it is the last entry of the header that is not a trusted proxy's (ASVS 5.0 4.1.3). The walk goes from
 * the end, where the nearest proxy wrote, and stops at the first entry that is not trusted or cannot be read: what
 * stands before it may be anybody's.
 *
 * @param trusted addresses and ranges of proxies
 * @param header the one field that is read; a proxy passes the other one on as the client wrote it
 */
export function clientAddress(trusted: readonly string[], header: AddressHeader): ClientAddress {
  if (trusted.length === 0) return ({ socket }) => plainAddress(socket.remoteAddress ?? unknownClient);
  const matches = addressMatcher(trusted);
  const isTrusted = cached((peer) => peer !== unknownClient && matches(peer));
  const { start, read } = formats[header];
  const readEntry = cached((entry): Entry => {
    const address = read(entry);
    return { address, trusted: address !== null && matches(address) };
  });
  return ({ socket, rawHeaders }) => {
    const peer = plainAddress(socket.remoteAddress ?? unknownClient);
    if (!isTrusted(peer)) return peer;
    return lastUntrusted(valuesOf(rawHeaders, header), start, readEntry) ?? peer;
  };
}

/**
 * Makes the function that tells whether a request comes from a trusted proxy itself, so that what it says of the
 * client is believed.
 *
 * @param trusted addresses and ranges of proxies
 */
export function trustedPeer(trusted: readonly string[]): (request: IncomingMessage) => boolean {
  if (trusted.length === 0) return () => false;
  const isTrusted = addressMatcher(trusted);
  return ({ socket }) => socket.remoteAddress !== undefined && isTrusted(plainAddress(socket.remoteAddress));
}

/**
 * @param values of the header, in their order
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
      if (address === null || entries > mostEntries) return unknownClient;
      if (!trusted) return address;
      first = address;
      end = begin - 1;
    }
  }
  return first;
}

/** Not from `headers`: Node makes that object of all fields when it is first asked for, and few requests need it. */
function valuesOf(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const written = raw[i] ?? '';
    if (written.length === name.length && written.toLowerCase() === name) values.push(raw[i + 1] ?? '');
  }
  return values;
}

function unquoted(entry: string): string {
  return entry.length > 1 && entry.startsWith('"') && entry.endsWith('"') ? entry.slice(1, -1) : entry;
}
