/** Keys and texts for tests, drawn by fast-check or from a deterministic random source. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { checksum } from '../../packages/key/src/checksum.ts';
import { alphabet, defaultPrefix, randomLength } from '../../packages/key/src/format.ts';
import type { RandomBytes } from '../../packages/key/src/generate.ts';

export const prefixes: readonly string[] = [defaultPrefix];

/** SHA-256 of a counter: deterministic bytes that behave like random ones. */
export function seededRandom(seed: string): RandomBytes {
  let counter = 0;
  return (count) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < count; have += 32) {
      blocks.push(createHash('sha256').update(`${seed} ${counter++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, count);
  };
}

/** Returns a function whose calls give whole numbers in [0, bound), with a bound of at most 2^16. */
export function seededNumbers(seed: string): (bound: number) => number {
  const random = seededRandom(seed);
  let numbers = new Uint32Array(0);
  let used = 0;
  return (bound) => {
    if (used === numbers.length) {
      numbers = new Uint32Array(Uint8Array.from(random(32)).buffer);
      used = 0;
    }
    return (numbers[used++] ?? 0) % bound;
  };
}

/** Complete keys with random characters from the given ones. */
export function keysOf(characters: string, prefix: string = defaultPrefix): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...characters), { minLength: randomLength, maxLength: randomLength })
    .map((random) => prefix + random.join(''))
    .map((unchecked) => unchecked + checksum(unchecked));
}

export const keys: fc.Arbitrary<string> = keysOf(alphabet);

/** Any JavaScript string, including lone surrogates. */
const utf16: fc.Arbitrary<string> = fc
  .array(fc.integer({ min: 0, max: 0xffff }))
  .map((units) => String.fromCharCode(...units));

/** Texts that are keys, resemble keys, or are arbitrary. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  utf16,
  keys,
  fc
    .array(
      fc.oneof(
        keys,
        fc.constantFrom(
          defaultPrefix,
          'Bearer ',
          '"',
          '...',
          '\u2026',
          '*',
          '$',
          '{{',
          '\u00e2\u0080\u00a6',
          '=',
        ),
        fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 34 }),
        utf16,
      ),
      { maxLength: 5 },
    )
    .map((parts) => parts.join('')),
);
