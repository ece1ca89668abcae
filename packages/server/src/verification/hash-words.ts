import { hash as digest } from 'node:crypto';

/** Converts a SHA-256 between 8 big-endian 32-bit numbers and 32 latin-1 characters. */

/** @param hash 32 latin-1 characters. @param words receives the 8 numbers */
export function decodeHash(hash: string, words: Int32Array): void {
  for (let i = 0; i < 8; i++) {
    const at = 4 * i;
    words[i] =
      (hash.charCodeAt(at) << 24) |
      (hash.charCodeAt(at + 1) << 16) |
      (hash.charCodeAt(at + 2) << 8) |
      hash.charCodeAt(at + 3);
  }
}

/** Whether an array contains the words at an index. */
export function matchesAt(words: Int32Array, array: Int32Array, at: number): boolean {
  for (let i = 0; i < 8; i++) if (words[i] !== array[at + i]) return false;
  return true;
}

/** Converts 8 numbers back to 32 latin-1 characters. */
export function encodeHash(words: Int32Array): string {
  const bytes: number[] = [];
  for (const word of words) bytes.push(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
  return String.fromCharCode(...bytes);
}

/** SHA-256 of a key as 32 latin-1 characters, which node:crypto returns faster than bytes. */
export function hashSecret(token: string): string {
  return digest('sha256', token, 'binary');
}
