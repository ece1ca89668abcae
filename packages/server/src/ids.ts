import { randomBytes } from 'node:crypto';

/** Crockford's base 32 in lower case: no i, l, o, u, so that an id can be read out. */
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
 * A new identifier: the prefix, 10 digits of time and 16 of randomness (48 bits of epoch ms and 80 random bits,
 * the layout of a ULID), so that ids sort by the time of their making.
 *
 * @param prefix such as 'key_'
 * @param now epoch ms
 */
export function newId(prefix: string, now: number): string {
  const random = BigInt(`0x${randomBytes(10).toString('hex')}`);
  return `${prefix}${digits(BigInt(now), 10)}${digits(random, 16)}`;
}

/**
 * The smallest text that an id of this moment can have: those of earlier moments are smaller, in the order of bytes.
 *
 * @param now epoch ms
 */
export function firstIdAt(prefix: string, now: number): string {
  return `${prefix}${digits(BigInt(Math.max(0, now)), 10)}`;
}

/** @returns the epoch ms with which the id of a row begins; undefined for what is no such id */
export function timeOfId(id: unknown): number | undefined {
  if (typeof id !== 'string') return undefined;
  const time = /_([0-9a-hjkmnp-tv-z]{10})[0-9a-hjkmnp-tv-z]{16}$/.exec(id)?.[1];
  return time === undefined
    ? undefined
    : Array.from(time).reduce((value, digit) => value * 32 + alphabet.indexOf(digit), 0);
}
