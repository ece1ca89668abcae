import { checksum } from './checksum.ts';
import { alphabet, defaultPrefix, isPrefix, KeyUsageError, randomLength } from './format.ts';

/** A source of `count` random bytes: uniformly distributed and unpredictable. */
export type RandomBytes = (count: number) => Uint8Array;

/**
 * 248 = 4 * 62 is the largest multiple of 62 that fits in a byte. Larger values are discarded: with them, the first
 * 8 characters of the alphabet would appear 5 times for every 4 times that the others appear.
 */
const acceptBelow = Math.floor(256 / alphabet.length) * alphabet.length;

/** 26 bytes and some to spare, because 1 in 32 is discarded. */
const drawLength = randomLength + 6;

/** A working source needs a second draw once in 20,000 keys and practically never a third (10^-42). */
const maxDraws = 4;

/**
 * Generates a new key.
 * @param options.prefix default `sk_live_`
 * @param options.random default: the platform's CSPRNG (ASVS 5.0 11.5.1)
 * @returns prefix, 26 random characters (154 bits), checksum of 6 characters
 * @throws KeyUsageError `impossible_prefix`; `broken_random` if the source returns too few usable bytes
 */
export function generateKey(options: { prefix?: string; random?: RandomBytes } = {}): string {
  const { prefix = defaultPrefix, random = platformRandom } = options;
  if (!isPrefix(prefix)) {
    throw new KeyUsageError(
      'impossible_prefix',
      'A prefix has 2 to 20 characters: a lowercase letter, then lowercase letters, digits and underscores, ending with an underscore',
    );
  }
  const unchecked = prefix + randomCharacters(random);
  return unchecked + checksum(unchecked);
}

function randomCharacters(random: RandomBytes): string {
  let characters = '';
  for (let draw = 0; draw < maxDraws; draw++) {
    for (const byte of random(drawLength)) {
      if (byte < acceptBelow) characters += alphabet.charAt(byte % alphabet.length);
      if (characters.length === randomLength) return characters;
    }
  }
  throw new KeyUsageError('broken_random', 'The random source returned too few usable bytes');
}

function platformRandom(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}
