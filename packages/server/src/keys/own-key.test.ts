import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { containsOwnKey } from './own-key.ts';

const prefixes = ['sk_live_', 'acme_'];

test('keys with an accepted prefix are found, whole, truncated, or complete without their prefix', () => {
  for (const key of prefixes.map((prefix) => generateKey({ prefix }))) {
    for (const text of [key, `key: "${key}"`, key.slice(0, 30), key.slice(-32)])
      assert.ok(containsOwnKey(text, prefixes), text);
  }
});

test('random IDs of other systems are no keys', () => {
  for (const text of [
    'sINsKNZ7RfZBKcM1Vi84Tcx6Rk4Bof9y',
    'cus_NffrFeUfNV2Hib',
    'sk_test_abc',
    'sk_live_',
    '',
    'Key 1',
  ])
    assert.ok(!containsOwnKey(text, prefixes), text);
});
