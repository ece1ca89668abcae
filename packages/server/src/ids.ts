import { randomBytes } from 'node:crypto';

/** Crockford's base 32 in lowercase: without i, l, o and u, so that an ID can be read aloud. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function digits(value: bigint, count: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < count; i++) {
    text = (alphabet[Number(rest & 31n)] ?? '') + text;
    rest >>= 5n;
  }
  return text;
}

/**
 * Creates an ID: the prefix, 10 digits of time and 16 random ones (48 bits of epoch ms and 80 random bits, the layout
 * of a ULID), so that IDs sort by creation time.
 *
 * @param prefix such as 'key_'
 * @param now epoch ms
 */
export function newId(prefix: string, now: number): string {
  const random = BigInt(`0x${randomBytes(10).toString('hex')}`);
  return `${prefix}${digits(BigInt(now), 10)}${digits(random, 16)}`;
}

/**
 * The smallest possible ID of a point in time. All earlier IDs are smaller in byte order.
 *
 * @param now epoch ms
 */
export function firstIdAt(prefix: string, now: number): string {
  return `${prefix}${digits(BigInt(Math.max(0, now)), 10)}`;
}

/** @returns the creation time of an ID in epoch ms; undefined when the value is not such an ID */
export function timeOfId(id: unknown): number | undefined {
  if (typeof id !== 'string') return undefined;
  const time = /_([0-9a-hjkmnp-tv-z]{10})[0-9a-hjkmnp-tv-z]{16}$/.exec(id)?.[1];
  return time === undefined
    ? undefined
    : Array.from(time).reduce((value, digit) => value * 32 + alphabet.indexOf(digit), 0);
}
