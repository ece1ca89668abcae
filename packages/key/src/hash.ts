/**
 * What the server keeps of a key. A plain hash suffices, without salt or stretching: a key holds 154 random
 * bits, and ASVS 5.0 6.5.2 allows a plain hash for a secret of 112 bits or more.
 *
 * In a browser WebCrypto exists on https and localhost pages only.
 * @param key the whole key, prefix included
 * @returns SHA-256 of its UTF-8 bytes, 32 bytes
 */
export async function hashKey(key: string): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
}
