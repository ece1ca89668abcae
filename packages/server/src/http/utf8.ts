/**
 * JSON must be UTF-8 (RFC 8259 section 8.1). Invalid bytes would be stored as U+FFFD, and a name in Latin-1 as other
 * letters, so both are rejected rather than repaired.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a body as UTF-8, without its byte order mark.
 *
 * @param contentType the header, which may name a charset
 * @returns null when the header names another charset, or the bytes are not UTF-8
 */
export function readUtf8(contentType: string | undefined, body: Uint8Array): string | null {
  const charsets = (contentType ?? '').matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi);
  for (const [, charset = ''] of charsets) {
    if (!/^utf-?8$/i.test(charset)) return null;
  }
  try {
    return utf8.decode(body);
  } catch {
    return null;
  }
}

/** Whether all percent-encoded text in a query is UTF-8. A percent sign that encodes nothing is literal. */
export function isQueryUtf8(query: string): boolean {
  for (const [bytes] of query.matchAll(/(?:%[0-9A-Fa-f]{2})+/g)) {
    try {
      decodeURIComponent(bytes);
    } catch {
      return false;
    }
  }
  return true;
}
