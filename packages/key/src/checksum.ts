/**
 * The checksum at the end of every key: the CRC-32 of everything before it, in base 62.
 *
 * It is not a security feature, because anyone can compute it. It lets a mistyped, truncated or invented key be
 * rejected without a database lookup, and lets secret scanners distinguish keys from other text.
 */
import { alphabet, checksumLength, digitValue, KeyUsageError } from './format.ts';

/** The IEEE 802.3 polynomial with its bits reversed, as the table-driven algorithm requires (RFC 1952 section 8). */
const polynomial = 0xedb88320;

const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  table[byte] = crc;
}

/**
 * CRC-32 (IEEE 802.3) of the first `length` characters, where each character code is one byte.
 * Codes above 255 lose their upper bits: do not rely on the result unless the text is ASCII.
 * @returns 0 to 2^32 - 1
 */
export function crc32(text: string, length: number = text.length): number {
  let crc = 0xffffffff;
  for (let i = 0; i < length; i++) {
    crc = (crc >>> 8) ^ (table[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}

/**
 * The 6 checksum characters for a text.
 * @param text ASCII: the prefix and the 26 random characters
 * @returns CRC-32 in base 62, most significant digit first, padded on the left with `0`
 * @throws KeyUsageError `not_ascii`
 */
export function checksum(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) throw new KeyUsageError('not_ascii', 'A checksum requires ASCII text');
  }
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < checksumLength; i++) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/**
 * Whether the last 6 characters of a text are the checksum of the others.
 *
 * It compares numbers, so it allocates no string. A value of 2^32 or more (62^6 is 13 times that) equals no CRC.
 * @param key ASCII; the last 6 characters are base-62 digits
 */
export function hasValidChecksum(key: string): boolean {
  const end = key.length - checksumLength;
  let value = 0;
  for (let i = end; i < key.length; i++) value = value * alphabet.length + digitValue(key.charCodeAt(i));
  return value === crc32(key, end);
}
