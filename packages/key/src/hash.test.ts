import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../../../test/support/arbitrary-keys.ts';
import { hashKey } from './hash.ts';

test('the hash of a key is the SHA-256 of its bytes, as node:crypto computes it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(keys, fc.string({ unit: 'grapheme' })), async (key) => {
      const hash = await hashKey(key);
      assert.equal(hash.length, 32);
      assert.deepEqual(Buffer.from(hash), createHash('sha256').update(key, 'utf8').digest());
    }),
  );
});

test('known answer: SHA-256 of abc (FIPS 180-4 example)', async () => {
  assert.equal(
    Buffer.from(await hashKey('abc')).toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
