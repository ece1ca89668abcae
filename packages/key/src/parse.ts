import { hasValidChecksum } from './checksum.ts';
import { bodyLength, digitValue, type KeyParts, toKeyParts } from './format.ts';

/**
 * Parses a text as a key. It runs for every key that is not cached, so it allocates nothing but its result.
 * @param text any string
 * @param prefixes the accepted prefixes, each valid according to `isPrefix`
 * @returns the displayable parts, or null if the prefix, length, alphabet or checksum is wrong
 */
export function parseKey(text: string, prefixes: readonly string[]): KeyParts | null {
  const prefix = matchPrefix(text, prefixes);
  return prefix !== undefined && hasValidChecksum(text) ? toKeyParts(text, prefix) : null;
}

/**
 * Checks only the format: one of the prefixes, then 32 base-62 characters.
 * @returns the prefix, or undefined. At most one prefix matches, because the length of the text determines its length.
 */
export function matchPrefix(text: string, prefixes: readonly string[]): string | undefined {
  const length = text.length - bodyLength;
  for (const prefix of prefixes) {
    if (prefix.length === length && text.startsWith(prefix))
      return isBase62(text, length) ? prefix : undefined;
  }
  return undefined;
}

function isBase62(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    if (digitValue(text.charCodeAt(i)) < 0) return false;
  }
  return true;
}
