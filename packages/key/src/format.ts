/**
 * The format of a key: a prefix, then 32 characters of `0-9A-Za-z`, of which the last 6 are a checksum.
 * The rest of this package takes its lengths and its alphabet from here.
 */

/** The prefix of new keys unless the operator sets another one. */
export const defaultPrefix = 'sk_live_';

/** Whether Stripe's secret or restricted keys use this prefix, so that secret scanners report such keys as Stripe's. */
export function isStripePrefix(prefix: string): boolean {
  return /^[sr]k_(live|test|prod)_$/.test(prefix);
}

/** The digits of base 62, in the order of their values (0 to 61). */
export const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random characters: 26 * log2(62) = 154 bits. A plain hash suffices from 112 bits (ASVS 5.0 6.5.2). */
export const randomLength = 26;

/** 62^6 > 2^32, so 6 digits hold every CRC-32. */
export const checksumLength = 6;

/** Characters after the prefix. */
export const bodyLength = randomLength + checksumLength;

/** Characters that a preview shows at each end of the body. */
const shownLength = 3;

const notDigit = -1;
const digitValues = new Int8Array(128).fill(notDigit);
for (let value = 0; value < alphabet.length; value++) digitValues[alphabet.charCodeAt(value)] = value;

/**
 * The value of a base-62 digit.
 * @param charCode a UTF-16 code unit
 * @returns 0 to 61, or -1 if it is not a base-62 digit
 */
export function digitValue(charCode: number): number {
  return charCode < 128 ? (digitValues[charCode] ?? notDigit) : notDigit;
}

/** The parts of a key that may be stored and displayed: enough to distinguish two keys, not enough to use one. */
export interface KeyParts {
  prefix: string;
  /** The first 3 characters after the prefix. */
  previewStart: string;
  /** The last 3 characters. */
  previewEnd: string;
}

/** An error in the code that calls this package, never in a key that a user sent. */
export class KeyUsageError extends RangeError {
  readonly code: 'impossible_prefix' | 'broken_random' | 'not_ascii';

  constructor(code: KeyUsageError['code'], message: string) {
    super(message);
    this.name = 'KeyUsageError';
    this.code = code;
  }
}

/**
 * Whether a text can be a key prefix: 2 to 20 characters, a lowercase letter first, then lowercase letters, digits
 * and underscores, with an underscore at the end (so that the prefix is distinct from the characters after it).
 */
export function isPrefix(text: string): boolean {
  return /^[a-z][a-z0-9_]{0,18}_$/.test(text);
}

/** The displayable parts of a text that is known to be `prefix` followed by a body. */
export function toKeyParts(key: string, prefix: string): KeyParts {
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
