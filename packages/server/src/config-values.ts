/** The kinds of values that variables have. Each problem is told as what follows the variable's name. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { canonicalAddress } from './http/address.ts';
import { maxQuota } from './limits/sliding-window.ts';

/** A whole number in decimal digits, within bounds. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is not between ${least} and ${most}`);
}

/** Requests a minute, or `off`. */
export const rateLimit = z
  .string()
  .regex(/^(?:off|\d{1,15})$/, 'is neither a whole number nor off')
  .transform((text) => (text === 'off' ? text : Number(text)))
  .refine(
    (limit) => limit === 'off' || (limit >= 1 && limit <= maxQuota),
    `is not between 1 and ${maxQuota}`,
  );

/** Comma-separated entries; spaces round them do not count. */
export function list(check: (entry: string) => boolean, problem: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((entry) => entry.trim()))
    .refine((entries) => entries.every(check), problem);
}

/**
 * Writes a host into an address that names its own as a parameter alone: `postgres://ada@/soku?host=/var/run/postgresql`
 * is how libpq's documentation and hosters write a Unix socket. The driver goes by the parameter; a URL needs a host.
 */
export function withHost(text: string): string {
  const lacksHost = URL.parse(text) === null && /[?&]host=[^&]/.test(text);
  return lacksHost ? text.replace('@/', '@localhost/') : text;
}

/** An address of PostgreSQL, in either of the two spellings of its scheme. */
export function isPostgresUrl(text: string): boolean {
  return ['postgres:', 'postgresql:'].includes(URL.parse(text)?.protocol ?? '');
}

/** An http(s) address without path, user, query or fragment. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.pathname === '/' &&
    `${url.search}${url.hash}${url.username}${url.password}` === ''
  );
}

/** An IP address, or a range of them as CIDR writes it; not all addresses there are. */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  // Of IPv4 that is written as mapped into IPv6 (RFC 4291 section 2.5.5.2), the bits before it are no choice.
  const fixed = version === 6 && !canonicalAddress(address)?.includes(':') ? 96 : 0;
  return (
    bits === undefined ||
    (/^\d{1,3}$/.test(bits) && Number(bits) > fixed && Number(bits) <= (version === 4 ? 32 : 128))
  );
}
