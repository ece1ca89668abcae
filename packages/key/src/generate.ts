import { checksum } from './checksum.ts';
import { alphabet, defaultPrefix, isPrefix, KeyUsageError, randomLength } from './format.ts';

/** A source of random bytes: `count` of them, each value equally likely and impossible to predict. */
export type RandomBytes = (count: number) => Uint8Array;

/**
 * 248 = 4 * 62 is the largest multiple of 62 in a byte. Bytes from there on are thrown away: with them, the
 * first 8 characters of the alphabet would come up 5 times where the others come up 4 times.
 */
const acceptBelow = Math.floor(256 / alphabet.length) * alphabet.length;

/** 26 bytes and some to spare, as 1 in 32 is thrown away. */
const drawLength = randomLength + 6;

/** A true source needs a second draw once in 20 000 keys and a third never (10^-42), so one that does is broken. */
const mostDraws = 4;

/**
 * Makes a new key.
 * @param options.prefix default `sk_live_`
 * @param options.random default: the platform's CSPRNG (ASVS 5.0 11.5.1)
 * @returns prefix, 26 random characters (154 bits), 6 of checksum
 * @throws KeyUsageError `impossible_prefix`; `broken_random` when the source gives nothing usable
 */
export function generateKey(options: { prefix?: string; random?: RandomBytes } = {}): string {
  const { prefix = defaultPrefix, random = platformRandom } = options;
  if (!isPrefix(prefix)) {
    throw new KeyUsageError(
      'impossible_prefix',
      'A prefix has 2 to 20 characters: a small letter, then small letters, digits and underscores, and an underscore at the end',
    );
  }
  const unchecked = prefix + randomCharacters(random);
  return unchecked + checksum(unchecked);
}

function randomCharacters(random: RandomBytes): string {
  let characters = '';
  for (let draw = 0; draw < mostDraws; draw++) {
    for (const byte of random(drawLength)) {
      if (byte < acceptBelow) characters += alphabet.charAt(byte % alphabet.length);
      if (characters.length === randomLength) return characters;
    }
  }
  throw new KeyUsageError('broken_random', 'The source of randomness gives too few usable bytes');
}

function platformRandom(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}
