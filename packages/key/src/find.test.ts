import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys, keysOf, prefixes, texts } from '../../../test/support/arbitrary-keys.ts';
import { containsKey, findKey, findKeys } from './find.ts';
import { alphabet } from './format.ts';
import { mayContainKey } from './may-contain-key.ts';
import { parseKey } from './parse.ts';

test('a key is found anywhere in a text', () => {
  fc.assert(
    fc.property(texts, keys, texts, (before, key, after) => {
      const text = before + key + after;
      const place = findKey(text, prefixes);
      assert.notEqual(place, null);
      if (place !== null) assert.notEqual(parseKey(text.slice(place.start, place.end), prefixes), null);
    }),
  );
});

test('nothing is found in a text without a key', () => {
  assert.equal(findKey('sk_live_', prefixes), null);
  assert.equal(findKey('sk_live_sk_live_', prefixes), null);
  assert.equal(findKey('', prefixes), null);
});

test('a whole key is detected whatever surrounds it', () => {
  fc.assert(
    fc.property(fc.string(), keys, fc.string(), (before, key, after) => {
      assert.equal(containsKey(`${before}${key}${after}`), true);
    }),
  );
});

test('a key without its prefix is detected by its checksum, for older prefixes too', () => {
  fc.assert(
    fc.property(keys, keysOf(alphabet, 'old_'), (key, older) => {
      assert.equal(containsKey(`prod (${key.slice(8)})`), true);
      assert.equal(containsKey(`prod ${older.slice(4)}`, ['sk_live_', 'old_']), true);
    }),
  );
});

test('a key without its prefix is detected by its checksum even in one case, like a hash', () => {
  const small = keysOf('abcdefghijklmnopqrstuvwxyz').filter((key) => !/[A-Z]/.test(key));
  fc.assert(
    fc.property(small, (key) => {
      assert.equal(containsKey(key.slice(8)), true);
      assert.equal(containsKey(key.slice(8), ['acme_']), false);
    }),
    { numRuns: 20 },
  );
});

test('a key with a typo, without its checksum or with a foreign prefix is still detected', () => {
  const body = 'q7HkZ2mNv8RtYx3LpWc5Bd9Jf4'; // 26 characters
  assert.equal(containsKey(`sk_live_${body}`), true);
  assert.equal(containsKey(`sk_live_${body}000000`), true);
  assert.equal(containsKey(`ghp_${body}0123456789`), true);
  assert.equal(containsKey(body.slice(0, 25)), false);
});

test('a truncated key is detected while enough of it remains to guess the rest', () => {
  const seen = fc.sample(keys, { numRuns: 2000, seed: 6 });
  for (const [length, least] of [
    [25, 1990],
    [18, 1960],
    [12, 1900],
  ] as const) {
    const found = seen.filter((key) => containsKey(`key=${key.slice(0, 8 + length)}...`, prefixes));
    assert.ok(found.length >= least, `${length} characters: ${found.length} of 2000`);
    for (const key of found) assert.equal(mayContainKey(`key=${key.slice(0, 8 + length)}...`), true);
  }
  for (const text of [
    'sk_live_q7HkZ2mNv8R',
    'sk_live_productionserver',
    'sk_live_ProductionServer2026',
    'task_live_q7HkZ2mNv8Rt',
    'key_01h2xcejqtf2nbre',
  ]) {
    assert.equal(containsKey(text, ['sk_live_', 'key_']), false, text);
  }
});

test('names, previews, ids and hashes do not contain a key', () => {
  const harmless = [
    'Production Server',
    'sk_live_abc...xyz',
    'sk_live_',
    'key_01h2xcejqtf2nbrexx3vqjhp41',
    'deploy 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
    '9F86D081884C7D659A2FEAA0C55AD015',
    '123e4567-e89b-12d3-a456-426614174000',
    'aVeryLongNameWithoutAnyBlanksAsProgrammersLikeThem',
    'ProductionServerFrankfurtBackup2',
    'productionServer2FrankfurtBackupJob2026',
    'Ab1'.repeat(33),
    '\u30d7\u30ed\u30c0\u30af\u30b7\u30e7\u30f3\u306e\u30b5\u30fc\u30d0\u30fc\u7528\u306e\u9375\u3067\u3059',
  ];
  for (const name of harmless) assert.equal(containsKey(name), false, name);
  for (const prefix of ['key_', 'ey_', 'y_']) {
    for (const text of ['key_01h2xcejqtf2nbrexx3vqjhp41', '/v1/api-keys/key_01h2xcejqtf2nbrexx3vqjhp41?a']) {
      assert.equal(containsKey(text, [prefix]), false, prefix);
    }
    assert.equal(containsKey('my_key_01h2xcejqtf2nbrexx3vqjhp41', [prefix]), true);
  }
});

test('every whole key in a text is found once, with or without its prefix', () => {
  fc.assert(
    fc.property(keys, keysOf(alphabet, 'old_'), (key, older) => {
      const text = `export SOKU_API_KEY="${key}" # was ${older}, bare ${key.slice(8)} and ${older.slice(4)}`;
      assert.deepEqual(findKeys(text, ['sk_live_', 'old_']), [key, older]);
      assert.deepEqual(findKeys(`${key}abc Bearer ${key}`, prefixes), [key]);
      assert.deepEqual(findKeys(`id=x${key.slice(8)}yz`, prefixes), [key]);
      assert.deepEqual(findKeys(older, prefixes), []);
    }),
  );
});

test('a damaged key is not found as a whole key', () => {
  fc.assert(
    fc.property(keys, (key) => {
      assert.deepEqual(findKeys(key.slice(0, -1), prefixes), []);
      assert.deepEqual(findKeys(`${key.slice(0, 12)} ${key.slice(12)}`, prefixes), []);
    }),
  );
});

test('almost every body with a wrong character is still detected', () => {
  const seen = fc.sample(keys, { numRuns: 2000, seed: 6 }).filter((key) => containsKey(wrongAtTheEnd(key)));
  assert.ok(seen.length > 1980, `${seen.length} of 2000`);
});

/** The body of a key with its last character changed, so that the checksum does not match. */
function wrongAtTheEnd(key: string): string {
  return key.slice(8, -1) + (key.endsWith('a') ? 'b' : 'a');
}

test('the quick check passes every text in which a key is found or detected, and rejects ids', () => {
  const runs = fc.string({ unit: fc.constantFrom(...alphabet, '_', ' '), minLength: 20, maxLength: 80 });
  const parts = fc.oneof(
    runs,
    keys,
    keys.map((key) => key.slice(8)),
    fc.constant('key_01jd8m6q2x7v9t3k5r4w0b1c2e'),
  );
  fc.assert(
    fc.property(texts, parts, texts, (before, part, after) => {
      const text = before + part + after;
      if (containsKey(text) || findKeys(text, prefixes).length > 0)
        assert.equal(mayContainKey(text), true, text);
    }),
  );
  assert.equal(mayContainKey('/settings/api/key_01jd8m6q2x7v9t3k5r4w0b1c2e?panel=rename'), false);
});
