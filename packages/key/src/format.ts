/**
 * The form of a key: a prefix, then 32 characters of `0-9A-Za-z`, of which the last 6 are a checksum.
 * Everything else in this package takes its lengths and its alphabet from here.
 */

/** Prefix of new keys where the operator has set no other. */
export const defaultPrefix = 'sk_live_';

/** Whether Stripe's secret and restricted keys begin so: secret scanners take a key with such a prefix for Stripe's. */
export function isStripePrefix(prefix: string): boolean {
  return /^[sr]k_(live|test|prod)_$/.test(prefix);
}

/** The digits of base 62, in the order of their values (0 to 61). */
export const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random characters: 26 * log2(62) = 154 bits, above the 112 from which a plain hash suffices (ASVS 5.0 6.5.2). */
export const randomLength = 26;

/** 62^6 > 2^32, so 6 digits hold every CRC-32. */
export const checksumLength = 6;

/** Characters after the prefix. */
export const bodyLength = randomLength + checksumLength;

/** Characters of the body at either end that a preview shows. */
const shownLength = 3;

const notDigit = -1;
const digitValues = new Int8Array(128).fill(notDigit);
for (let value = 0; value < alphabet.length; value++) digitValues[alphabet.charCodeAt(value)] = value;

/**
 * The value of a base 62 digit.
 * @param charCode a UTF-16 code unit
 * @returns 0 to 61, or -1 when it is no digit of base 62
 */
export function digitValue(charCode: number): number {
  return charCode < 128 ? (digitValues[charCode] ?? notDigit) : notDigit;
}

/** What may stand in the database and on a page of a key: enough to tell two keys apart, not to use one. */
export interface KeyParts {
  prefix: string;
  /** The first 3 characters after the prefix. */
  previewStart: string;
  /** The last 3 characters. */
  previewEnd: string;
}

/** What a caller of this package, never the holder of a key, did wrong. */
export class KeyUsageError extends RangeError {
  readonly code: 'impossible_prefix' | 'broken_random' | 'not_ascii';

  constructor(code: KeyUsageError['code'], message: string) {
    super(message);
    this.name = 'KeyUsageError';
    this.code = code;
  }
}

/**
 * Whether a text may be the prefix of keys: 2 to 20 characters, a small letter first, then small letters,
 * digits and underscores, an underscore last (so that no prefix runs into the characters after it).
 */
export function isPrefix(text: string): boolean {
  return /^[a-z][a-z0-9_]{0,18}_$/.test(text);
}

/** The parts to show of a text that is known to be `prefix` and a body. */
export function partsOf(key: string, prefix: string): KeyParts {
  const start = prefix.length;
  return {
    prefix,
    previewStart: key.slice(start, start + shownLength),
    previewEnd: key.slice(-shownLength),
  };
}

/** The preview of a key: `sk_live_abc...xyz`. */
export function formatPreview(parts: KeyParts): string {
  return `${parts.prefix}${parts.previewStart}...${parts.previewEnd}`;
}
