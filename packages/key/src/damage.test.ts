/** How much damage to a key is detected without a database: what the mathematics guarantee, and what is measured. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { keys, prefixes, seededNumbers, seededRandom } from '../../../test/support/arbitrary-keys.ts';
import { runCount } from '../../../test/support/run-count.ts';
import { crc32 } from './checksum.ts';
import { alphabet, digitValue } from './format.ts';
import { generateKey } from './generate.ts';
import { parseKey } from './parse.ts';

const random = seededRandom('damaged keys');
const someKeys = Array.from({ length: runCount(60, 400) }, () => generateKey({ random }));

/** Applies every form of `damage` to each key, and prints how many results are rejected. */
function countRejections(t: TestContext, damage: (key: string) => Iterable<string>) {
  const count = { rejected: 0, accepted: 0 };
  for (const key of someKeys) {
    for (const text of damage(key)) count[parseKey(text, prefixes) === null ? 'rejected' : 'accepted']++;
  }
  const tried = count.rejected + count.accepted;
  t.diagnostic(`${count.rejected} of ${tried} rejected offline (${(100 * count.rejected) / tried} %)`);
  return count;
}

// Every assertion before the last test is certain. A change within the 26 random characters leaves the checksum
// unchanged, and CRC-32 differs for any two texts of the same length whose difference spans 32 bits or less (a
// burst), so it detects a change of one character or of up to four neighboring ones. A change within the checksum
// gives another number, because 6 base-62 digits represent each number in only one way. A changed prefix is not an
// accepted one, and a wrong length is rejected as such.

function* substitutions(key: string): Generator<string> {
  for (let at = 0; at < key.length; at++) {
    for (const other of alphabet) {
      const damaged = key.slice(0, at) + other + key.slice(at + 1);
      if (damaged !== key) yield damaged;
    }
  }
}

test('every wrong character, at every position, is rejected', (t) => {
  const { rejected, accepted } = countRejections(t, substitutions);
  assert.equal(accepted, 0);
  // 38 positions with 61 other characters each, and the two underscores of the prefix with 62.
  assert.equal(rejected, someKeys.length * (38 * 61 + 2 * 62));
});

function* swaps(key: string): Generator<string> {
  for (let at = 0; at + 1 < key.length; at++) {
    const damaged = key.slice(0, at) + key.charAt(at + 1) + key.charAt(at) + key.slice(at + 2);
    if (damaged !== key) yield damaged;
  }
}

test('every swap of unequal neighbors is rejected', (t) => {
  const { rejected, accepted } = countRejections(t, swaps);
  assert.equal(accepted, 0);
  assert.ok(rejected > someKeys.length * 30);
});

test('a swap of the last random character with the first checksum character is always detected', () => {
  // Such a swap changes both sides, so the burst argument does not apply. To match, the CRC would have to change by
  // (a - b) * 62^5, a multiple of 32. It changes by the bits of m = crc(a) ^ crc(b), each added or subtracted, so
  // by an odd multiple of the lowest bit. Only the digits 0 to 4 can begin a checksum (5 * 62^5 > 2^32).
  const first = [...alphabet].filter((digit) => digitValue(digit.charCodeAt(0)) * 62 ** 5 < 2 ** 32);
  assert.deepEqual(first, ['0', '1', '2', '3', '4']);
  for (const a of first) {
    for (const b of first) {
      if (a !== b) assert.notEqual((crc32(a) ^ crc32(b)) % 32, 0, `${a} and ${b}`);
    }
  }
});

test('every change within four neighboring random characters is rejected', () => {
  const four = fc.array(fc.constantFrom(...alphabet), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(keys, fc.integer({ min: 8, max: 30 }), four, (key, at, others) => {
      const changed = key.slice(0, at) + others.join('') + key.slice(at + 4);
      fc.pre(changed !== key);
      assert.equal(parseKey(changed, prefixes), null);
    }),
    { numRuns: runCount(700, 20_000) },
  );
});

function* otherLengths(key: string): Generator<string> {
  for (let at = 0; at < key.length; at++) {
    yield key.slice(0, at);
    yield key.slice(at + 1);
    yield key.slice(0, at) + key.slice(at + 1);
  }
  for (let at = 0; at <= key.length; at++) {
    for (const added of `${alphabet} _-"\n`) yield key.slice(0, at) + added + key.slice(at);
  }
}

test('every truncation, omission and insertion is rejected', (t) => {
  const { rejected, accepted } = countRejections(t, otherLengths);
  assert.equal(accepted, 0);
  assert.equal(rejected, someKeys.length * (3 * 40 + 41 * 67));
});

// Not certain: changes at positions far apart. One in 2^32 of those matches by chance.

const number = seededNumbers('scattered damage');

/** The key with `changes` of its 32 characters replaced at random. */
function scatter(key: string, changes: number): string {
  const characters = [...key];
  for (let i = 0; i < changes; i++) characters[8 + number(32)] = alphabet.charAt(number(62));
  return characters.join('');
}

function* scattered(key: string): Generator<string> {
  for (let i = 0; i < 500; i++) {
    const damaged = scatter(key, 2 + (i % 5));
    if (damaged !== key) yield damaged;
  }
  yield key.toLowerCase();
  yield `sk_live_${key.slice(8).toUpperCase()}`;
}

test('damage beyond what CRC-32 guarantees is rejected as far as can be measured', (t) => {
  const { accepted } = countRejections(t, scattered);
  // At most 200,000 attempts at 2^-32 each: with new seeds, one run in 21,000 would see an acceptance. These are fixed.
  assert.equal(accepted, 0);
});
