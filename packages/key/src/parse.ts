import { checksumFits } from './checksum.ts';
import { bodyLength, digitValue, type KeyParts, partsOf } from './format.ts';

/**
 * Takes a text for a key, or not. Every request passes here, so it makes nothing but its result.
 * @param text what came; any string
 * @param prefixes the accepted ones, each as `isPrefix` allows
 * @returns the parts to show, or null unless prefix, length, alphabet and checksum are all right
 */
export function parseKey(text: string, prefixes: readonly string[]): KeyParts | null {
  const prefix = prefixOfForm(text, prefixes);
  return prefix !== undefined && checksumFits(text) ? partsOf(text, prefix) : null;
}

/**
 * Looks at the form alone: one of the prefixes, then 32 characters of base 62.
 * @returns the prefix (no two can fit: a text has one beginning of a length), or undefined
 */
export function prefixOfForm(text: string, prefixes: readonly string[]): string | undefined {
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
