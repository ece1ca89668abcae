import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prefixes, seededRandom } from '../../../test/support/arbitrary-keys.ts';
import { alphabet } from './format.ts';
import { generateKey } from './generate.ts';
import { parseKey } from './parse.ts';

test('a new key is sk_live_ and 32 characters of 0-9A-Za-z, and is accepted', () => {
  for (let i = 0; i < 1000; i++) {
    const key = generateKey();
    assert.match(key, /^sk_live_[0-9A-Za-z]{32}$/);
    assert.notEqual(parseKey(key, prefixes), null);
  }
});

test('a new key has the requested prefix, and is accepted with it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z][a-z0-9_]{0,18}_$/), (prefix) => {
      const key = generateKey({ prefix });
      assert.equal(key.length, prefix.length + 32);
      assert.equal(parseKey(key, [prefix])?.prefix, prefix);
    }),
  );
});

test('an impossible prefix is rejected with a code', () => {
  for (const prefix of ['', 'SK_', 'sk', `a${'b'.repeat(19)}_`]) {
    assert.throws(() => generateKey({ prefix }), { name: 'KeyUsageError', code: 'impossible_prefix' });
    assert.throws(() => generateKey({ prefix }), RangeError);
  }
});

test('bytes of 248 and more are discarded, and the others are taken modulo 62', () => {
  const random = () => Uint8Array.of(...Array(6).fill(255), 248, 249, 0, 61, 62, 247, ...Array(26).fill(10));
  assert.equal(generateKey({ random }).slice(8, 34), `0z0z${'A'.repeat(22)}`);
});

test('bytes are drawn again until there are enough', () => {
  let draws = 0;
  const random = () => Uint8Array.of(...Array(13).fill(draws++), ...Array(19).fill(255));
  assert.equal(generateKey({ random }).slice(8, 34), '0'.repeat(13) + '1'.repeat(13));
});

test('a source without usable bytes is rejected with a code after a few draws', () => {
  for (const random of [() => new Uint8Array(0), (count: number) => new Uint8Array(count).fill(255)]) {
    assert.throws(() => generateKey({ random }), { name: 'KeyUsageError', code: 'broken_random' });
  }
});

/** Chi-square of the 26 random characters of many keys against a uniform distribution (61 degrees of freedom). */
function chiSquare(keyCount: number, generate: () => string): number {
  const counts = new Map<string, number>();
  for (let i = 0; i < keyCount; i++) {
    for (const character of generate()) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const expected = (keyCount * 26) / alphabet.length;
  let sum = 0;
  for (const character of alphabet) sum += ((counts.get(character) ?? 0) - expected) ** 2 / expected;
  return sum;
}

test('every character is equally likely', (t) => {
  // With 61 degrees of freedom the mean is 61 and the standard deviation 11, so 150 is 8 deviations away.
  const bound = 150;
  const random = seededRandom('unbiased');
  const measured = chiSquare(20_000, () => generateKey({ random }).slice(8, 34));
  const biased = chiSquare(20_000, () =>
    Array.from(random(26), (byte) => alphabet.charAt(byte % alphabet.length)).join(''),
  );
  t.diagnostic(
    `chi-square of 520,000 characters: ${measured.toFixed(1)}; without rejection: ${biased.toFixed(1)}`,
  );
  assert.ok(measured < bound);
  assert.ok(biased > bound, 'the bound separates a biased generator from ours');
});

test('10,000 keys from the platform source are all different', () => {
  const generated = new Set(Array.from({ length: 10_000 }, () => generateKey()));
  assert.equal(generated.size, 10_000);
});
