import type { IncomingMessage } from 'node:http';
import { hasSessionCookie } from '../accounts/session-cookie.ts';
import { resemblesKey } from './resembles-key.ts';

/**
 * Whether a management call is authenticated by the session cookie: when no Authorization header resembles one of our
 * keys. A proxy in front of the dashboard may add a header of its own, and browsers send Basic credentials on their
 * own. A header that was meant to be a key takes precedence over the cookie, so that a wrong key is never ignored.
 */
export type SessionDecides = (request: IncomingMessage) => boolean;

/** @param prefixes the accepted ones */
export function sessionDecides(publicUrl: string, prefixes: readonly string[]): SessionDecides {
  return ({ headers, headersDistinct }) =>
    hasSessionCookie(headers, publicUrl) &&
    !(headersDistinct.authorization ?? []).some((field) => resemblesKey(field, prefixes));
}
