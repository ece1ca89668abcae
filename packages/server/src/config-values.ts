/** Schemas of the values of environment variables. An error message continues a sentence that starts with the name. */
import { parseRange } from '@soku/contract/address-lists';
import { ipv4MappedPrefixLength, isIpv4 } from '@soku/contract/addresses';
import { z } from 'zod';
import { basePathOf } from './http/public-url.ts';
import { maxQuota } from './limits/sliding-window.ts';

/** A whole number in decimal digits, within bounds. */
export function integerSchema(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);
}

/** Requests per minute, or `off`. */
export const rateLimitVariableSchema = z
  .string()
  .regex(/^(?:off|\d{1,15})$/, 'must be a whole number or off')
  .transform((text) => (text === 'off' ? text : Number(text)))
  .refine(
    (limit) => limit === 'off' || (limit >= 1 && limit <= maxQuota),
    `must be between 1 and ${maxQuota}`,
  );

/** Comma-separated entries. Spaces around them are ignored. */
export function listSchema(isValid: (entry: string) => boolean, problem: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((entry) => entry.trim()))
    .refine((entries) => entries.every(isValid), problem);
}

/** A text that `parse` understands. */
export function parsedSchema<T>(parse: (text: string) => T | undefined, problem: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(problem);
    return z.NEVER;
  });
}

/** Whether a text can begin tokens of another format, or is `*`. */
export function isImportedPrefix(text: string): boolean {
  return text === '*' || /^[A-Za-z0-9._~+/-]{1,40}$/.test(text);
}

/**
 * Adds a host to an address that names its host only in a parameter: `postgres://ada@/soku?host=/var/run/postgresql` is
 * how libpq's documentation and hosting providers write a Unix socket. A URL needs a host; the driver uses the
 * parameter.
 */
export function addMissingHost(text: string): string {
  const lacksHost = URL.parse(text) === null && /[?&]host=[^&]/.test(text);
  return lacksHost ? text.replace('@/', '@localhost/') : text;
}

/** Whether a URL names at most one host: the driver supports no list, unlike libpq. */
export function hasSingleHost(text: string): boolean {
  const [, authority = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text) ?? [];
  return !authority.slice(authority.lastIndexOf('@') + 1).includes(',');
}

/** Whether a text is a PostgreSQL URL, in either spelling of the scheme. */
export function isPostgresUrl(text: string): boolean {
  return ['postgres:', 'postgresql:'].includes(URL.parse(text)?.protocol ?? '');
}

/** A path without dot segments and empty ones, as written and not as a URL parser corrects it. */
const plainPath = /^https?:\/\/[^/\\]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*\/?$/i;

/** An http(s) URL, whose path may be that of a proxy. The result does not end in a slash. */
export const publicUrlSchema = z
  .string()
  .trim()
  .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), 'must be an http(s) URL')
  .refine((text) => !text.includes('@'), 'must not contain a user')
  .refine((text) => !/[?#]/.test(text), 'must not have a query or a fragment')
  .refine(
    (text) => plainPath.test(text),
    'must have no path, or one such as /soku: parts of letters, digits and . _ ~ -, with one slash before each',
  )
  .transform((text) => new URL(text).origin + basePathOf(text));

/** Whether a text is an https URL without a user. A server on this machine may use http. */
export function isKeyListUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || `${url.username}${url.password}` !== '') return false;
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}

/** Whether a text is an IP address or a CIDR range, other than the range of all addresses. */
export function isAddressRange(text: string): boolean {
  const { block } = parseRange(text);
  return block !== undefined && block.bits > (isIpv4(block.words) ? ipv4MappedPrefixLength : 0);
}

/** Whether a text is an IP address, a CIDR range, or the name of a host. */
export function isRangeOrHost(text: string): boolean {
  if (isAddressRange(text)) return true;
  // The last part of a name has a letter, so a mistyped IPv4 address is not one.
  return text.length <= 253 && /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9-]{0,62}[a-z][a-z0-9-]{0,62}$/i.test(text);
}
