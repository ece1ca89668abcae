import { canonicalName } from '../http/proxy-fields.ts';

/**
 * Hop-by-hop fields (RFC 9110 section 7.6.1) and framing fields, which are set anew on each connection.
 * `http2-settings` belongs to an upgrade that is not supported (RFC 9113 section 3.1).
 */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Whether a field is not forwarded in either direction: it is hop-by-hop, or only the gateway may set it.
 *
 * @param name canonical
 */
export function isNotForwarded(name: string): boolean {
  return (
    hopByHop.has(name) || name.startsWith('x-soku-') || name.startsWith('proxy-') || name === 'x-request-id'
  );
}

/**
 * Reads the fields that the Connection field of a message names. They are not forwarded either.
 *
 * @param connection the value of the field; several values as a list, or joined by commas
 * @returns a function that returns whether a field is named; undefined if none is
 */
export function createConnectionOptionCheck(
  connection: string | readonly string[] | undefined,
): ((written: string) => boolean) | undefined {
  // The common case, which names no forwarded field.
  if (connection === undefined || connection === 'keep-alive') return undefined;
  const named = new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  return (written) => named.has(canonicalName(written));
}

/** Browsers trim names, and send a cookie without a name as its bare value, which may look like name and value. */
export function cookieName(cookie: string): string {
  return /^[\s=]*([^=;]*)/.exec(cookie)?.[1]?.trim() ?? '';
}
