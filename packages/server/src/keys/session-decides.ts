import type { IncomingMessage } from 'node:http';
import { hasSessionCookie } from '../accounts/session-cookie.ts';
import { resemblesKey } from './resembles-key.ts';

/**
 * Whether a management call is the call of a person with a session cookie: no Authorization field holds anything like
 * a key of ours. A proxy before the dashboard may add one for itself, and browsers send Basic credentials by
 * themselves. A field that was meant as a key decides alone, so that a wrong key is never overlooked.
 */
export type SessionDecides = (request: IncomingMessage) => boolean;

/** @param prefixes the accepted ones */
export function sessionDecides(publicUrl: string, prefixes: readonly string[]): SessionDecides {
  return ({ headers, headersDistinct }) =>
    hasSessionCookie(headers, publicUrl) &&
    !(headersDistinct.authorization ?? []).some((field) => resemblesKey(field, prefixes));
}
