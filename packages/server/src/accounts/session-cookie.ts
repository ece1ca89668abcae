import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { basePathOf } from '../http/public-url.ts';

/** The name in earlier versions, in which all instances shared one. */
const formerName = 'soku_session';

/** Matches the session cookies of all instances and the auth library's other cookies. */
const anyInstance = /^(?:__Host-|__Secure-)?soku_session(?:_|$)/i;

/**
 * On https, __Host- binds a cookie to this host and to https (ASVS 5.0 3.3.1, 3.3.3). It requires the path /, so under a
 * path it is __Secure-, which binds the cookie to https only.
 */
function securePrefix(publicUrl: string): string {
  if (!publicUrl.startsWith('https:')) return '';
  return cookiePath(publicUrl) === '/' ? '__Host-' : '__Secure-';
}

/** The path of all cookies: other applications at the same host do not receive them. */
export function cookiePath(publicUrl: string): string {
  return basePathOf(publicUrl) || '/';
}

/**
 * The name of the session cookie. Cookies do not distinguish ports (RFC 6265 section 8.5), and one with the path / is
 * also sent to instances below it. So the name contains a hash of origin and path. Otherwise, two instances on one host
 * would overwrite each other's cookie.
 *
 * @param publicUrl SOKU_PUBLIC_URL
 */
export function sessionCookieName(publicUrl: string): string {
  const place = new URL(publicUrl).origin + basePathOf(publicUrl);
  const mark = createHash('sha256').update(place).digest('hex').slice(0, 8);
  return `${securePrefix(publicUrl)}${formerName}_${mark}`;
}

/** Whether a cookie belongs to a dashboard, of this instance or of another one on the same host. */
export function isDashboardCookie(name: string): boolean {
  return anyInstance.test(name);
}

/** Whether the request has a session cookie of this instance, valid or not. Other cookies do not count. */
export function hasSessionCookie({ cookie }: IncomingHttpHeaders, publicUrl: string): boolean {
  return hasCookie(cookie, sessionCookieName(publicUrl));
}

/**
 * Renames a cookie of an earlier version, so that an upgrade signs no one out. The auth library sets the cookie under
 * its new name within a day of use.
 *
 * @param headers modified in place
 */
export function renameLegacyCookie(headers: IncomingHttpHeaders, publicUrl: string): void {
  const { cookie } = headers;
  if (cookie === undefined || hasSessionCookie(headers, publicUrl)) return;
  const former = `${securePrefix(publicUrl)}${formerName}=`;
  const renamed = (one: string) =>
    one.startsWith(former) ? `${sessionCookieName(publicUrl)}=${one.slice(former.length)}` : one;
  headers.cookie = cookie.split(/; ?/).map(renamed).join('; ');
}

function hasCookie(cookies: string | undefined, name: string): boolean {
  return cookies?.split(/; ?/).some((cookie) => cookie.startsWith(`${name}=`)) === true;
}
