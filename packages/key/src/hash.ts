/**
 * The hash that the server stores instead of the key. A plain hash suffices, without salt or stretching: a key has
 * 154 random bits, and ASVS 5.0 6.5.2 allows a plain hash for secrets of 112 bits or more.
 *
 * In browsers, WebCrypto is available only on https and localhost pages.
 * @param key the whole key, including its prefix
 * @returns SHA-256 of its UTF-8 bytes, 32 bytes
 */
export async function hashKey(key: string): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
}
