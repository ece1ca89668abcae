import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys, keysOf, prefixes, texts } from '../../../test/support/arbitrary-keys.ts';
import { runCount } from '../../../test/support/run-count.ts';
import { alphabet, formatPreview } from './format.ts';
import { parseKey } from './parse.ts';

test('a key is parsed into its prefix, first 3 and last 3 characters', () => {
  fc.assert(
    fc.property(keys, (key) => {
      const parts = parseKey(key, prefixes);
      assert.deepEqual(parts, {
        prefix: 'sk_live_',
        previewStart: key.slice(8, 11),
        previewEnd: key.slice(37),
      });
      assert.equal(parts && formatPreview(parts), `sk_live_${key.slice(8, 11)}...${key.slice(37)}`);
    }),
  );
});

test('known answer: a whole key computed by another implementation', () => {
  const parts = parseKey('sk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZ3s2Qh6', prefixes);
  assert.equal(parts?.previewStart, 'ABC');
});

test('a key is accepted with each accepted prefix and with no other', () => {
  fc.assert(
    fc.property(keysOf(alphabet, 'acme_'), (key) => {
      assert.equal(parseKey(key, ['sk_live_', 'acme_', 'a_'])?.prefix, 'acme_');
      assert.equal(parseKey(key, ['sk_live_', 'acm_']), null);
      assert.equal(parseKey(key, []), null);
      assert.equal(parseKey(`sk_live_${key.slice(5)}`, ['sk_live_', 'acme_']), null);
    }),
  );
});

test('no string makes it throw', () => {
  fc.assert(
    fc.property(texts, (text) => {
      parseKey(text, prefixes);
    }),
    { numRuns: runCount(1000, 20_000) },
  );
});
