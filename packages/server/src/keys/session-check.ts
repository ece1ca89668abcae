import type { IncomingMessage } from 'node:http';
import { hasSessionCookie } from '../accounts/session-cookie.ts';
import { resemblesKey } from './resembles-key.ts';

/**
 * Whether the session cookie authenticates a management call: it does if no Authorization header resembles a Soku key.
 * A proxy in front of the dashboard may add its own header, and browsers send Basic credentials on their own. A header
 * that was meant to be a key takes precedence over the cookie, so that a wrong key is never ignored.
 */
export type SessionCheck = (request: IncomingMessage) => boolean;

/** @param prefixes the accepted prefixes */
export function createSessionCheck(publicUrl: string, prefixes: readonly string[]): SessionCheck {
  return ({ headers, headersDistinct }) =>
    hasSessionCookie(headers, publicUrl) &&
    !(headersDistinct.authorization ?? []).some((field) => resemblesKey(field, prefixes));
}
