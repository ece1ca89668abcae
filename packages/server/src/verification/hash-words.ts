import { hash as digest } from 'node:crypto';

/** A SHA-256 as 8 numbers of 32 bits, the first byte highest, and as 32 latin-1 characters. */

/** @param hash 32 latin-1 characters. @param words where it is put */
export function readHash(hash: string, words: Int32Array): void {
  for (let i = 0; i < 8; i++) {
    const at = 4 * i;
    words[i] =
      (hash.charCodeAt(at) << 24) |
      (hash.charCodeAt(at + 1) << 16) |
      (hash.charCodeAt(at + 2) << 8) |
      hash.charCodeAt(at + 3);
  }
}

/** Whether the same words stand in an array from a place on. */
export function areAt(words: Int32Array, array: Int32Array, at: number): boolean {
  for (let i = 0; i < 8; i++) if (words[i] !== array[at + i]) return false;
  return true;
}

/** The other way round. */
export function hashOfWords(words: Int32Array): string {
  const bytes: number[] = [];
  for (const word of words) bytes.push(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
  return String.fromCharCode(...bytes);
}

/** SHA-256 of a key, as 32 latin-1 characters: crypto gives them faster than bytes. */
export function hashOf(token: string): string {
  return digest('sha256', token, 'binary');
}
