/**
 * The checksum that ends every key: CRC-32 of what stands before it, in base 62.
 *
 * It is no protection (whoever knows the rule can compute it). It lets a mistyped, cut or invented key be
 * refused without asking the database, and a scanner tell keys from other text.
 */
import { alphabet, checksumLength, digitValue, KeyUsageError } from './format.ts';

/** IEEE 802.3's polynomial with its bits reversed, as the table-driven form needs it (also RFC 1952 section 8). */
const polynomial = 0xedb88320;

const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  table[byte] = crc;
}

/**
 * CRC-32 (IEEE 802.3) of the first `length` characters, each taken for the byte of its code.
 * A code above 255 loses its upper bits: callers that did not check for ASCII must not rely on the result.
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
 * The 6 characters that belong after a text.
 * @param text ASCII: the prefix and the 26 random characters
 * @returns CRC-32 in base 62, most significant digit first, padded on the left with `0`
 * @throws KeyUsageError `not_ascii`
 */
export function checksum(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) throw new KeyUsageError('not_ascii', 'A checksum is of ASCII text only');
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
 * It compares the number, so it makes no string. A value of 2^32 or more (62^6 is 13 times that) equals no CRC.
 * @param key ASCII, and its last 6 characters of base 62
 */
export function checksumFits(key: string): boolean {
  const end = key.length - checksumLength;
  let value = 0;
  for (let i = end; i < key.length; i++) value = value * alphabet.length + digitValue(key.charCodeAt(i));
  return value === crc32(key, end);
}
