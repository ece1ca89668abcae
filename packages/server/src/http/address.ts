import { formatAddress, parseIpAddress } from '@soku/contract/addresses';

/** Maximum length of a parsed text, in characters: an IPv6 address with its zone, in brackets, with a port. */
const longestNode = 128;

/** RFC 7239 section 6.2: one to five digits, or a name that hides the port. */
const port = String.raw`:(?:\d{1,5}|_[\w.-]+)`;
const bracketed = new RegExp(String.raw`^\[([^[\]]*:[^[\]]*)\](?:${port})?$`);
const withPort = new RegExp(String.raw`^([\d.]+)${port}$`);

/** Scratch space. */
const words = new Int32Array(4);

/**
 * Formats an IP address in the canonical form that is compared, counted and stored: IPv6 as in RFC 5952 without a zone,
 * because a zone is specific to one machine and can be any text; IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) as IPv4.
 *
 * @returns null when the text is not an IP address
 */
export function canonicalAddress(text: string): string | null {
  return parseIpAddress(stripZone(text), words) ? formatAddress(words) : null;
}

/**
 * The canonical address of a socket. Node already formats it so, except that a socket that listens on IPv6 reports IPv4
 * addresses as mapped ones, and link-local addresses with a zone.
 */
export function canonicalSocketAddress(address: string): string {
  const bare = stripZone(address);
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
}

/**
 * Parses an address as proxies write it (RFC 7239 section 6): IPv4 or IPv6, with or without brackets and a port.
 *
 * @returns the canonical address; null for anything else, such as `unknown`, a name, or an address with letters
 * behind it
 */
export function parseForwardedNode(text: string): string | null {
  if (text.length > longestNode) return null;
  const address = bracketed.exec(text)?.[1] ?? withPort.exec(text)?.[1] ?? text;
  return canonicalAddress(address);
}

/** Only IPv6 addresses have zones. */
export function stripZone(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  return bare.includes(':') ? bare : address;
}
