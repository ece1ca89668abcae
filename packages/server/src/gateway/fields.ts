import { canonicalName } from '../http/proxy-fields.ts';

/**
 * Fields that speak of one connection and not of the message (RFC 9110 section 7.6.1), or of its framing, which is
 * made anew on each side. `http2-settings` belongs to an upgrade that is not done (RFC 9113 section 3.1).
 */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Whether a field ends at the gateway, in either direction: it belongs to one connection, or is of the kinds that only
 * we set.
 *
 * @param name canonical
 */
export function endsHere(name: string): boolean {
  return (
    ofOneConnection.has(name) ||
    name.startsWith('x-soku-') ||
    name.startsWith('proxy-') ||
    name === 'x-request-id'
  );
}

/**
 * Finds the fields that the Connection fields of a message name: they end at the gateway, too.
 *
 * @param connection the value of the field; of several a list, or their values joined by commas
 * @returns whether a field is one of them; undefined for none
 */
export function namedBy(
  connection: string | readonly string[] | undefined,
): ((written: string) => boolean) | undefined {
  // What most messages say, and it names no field that goes on.
  if (connection === undefined || connection === 'keep-alive') return undefined;
  const named = new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  return (written) => named.has(canonicalName(written));
}

/** Browsers trim names, and send a cookie without a name as its bare value, which may look like a name and value. */
export function cookieName(cookie: string): string {
  return /^[\s=]*([^=;]*)/.exec(cookie)?.[1]?.trim() ?? '';
}
