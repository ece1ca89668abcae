import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId, timeOfId } from './ids.ts';

/** The largest time that fits into 10 digits: 50 bits, far beyond any clock. */
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test('an ID is its prefix and 26 characters that can be read aloud', () => {
  fc.assert(
    fc.property(time, (now) => {
      assert.match(newId('key_', now), /^key_[0-9a-hjkmnp-tv-z]{26}$/);
    }),
  );
});

test('IDs sort by creation time', () => {
  fc.assert(
    fc.property(time, time, (one, other) => {
      fc.pre(one < other);
      assert.ok(newId('key_', one) < newId('key_', other));
    }),
  );
});

test('the time of an ID is its creation time', () => {
  fc.assert(fc.property(time, (now) => assert.equal(timeOfId(newId('evt_', now)), now)));
  for (const id of ['', 'evt_', `evt_${'u'.repeat(26)}`, 'x'.repeat(26), null, 7])
    assert.equal(timeOfId(id), undefined);
});

test('known values: the first ten digits are the time, most significant digit first', () => {
  assert.equal(newId('', 0).slice(0, 10), '0000000000');
  assert.equal(newId('', 31).slice(0, 10), '000000000z');
  assert.equal(newId('', 32).slice(0, 10), '0000000010');
  assert.equal(newId('', 2 ** 48 - 1).slice(0, 10), '7zzzzzzzzz');
});

test('IDs of the same millisecond differ in every random digit', () => {
  const ids = Array.from({ length: 2000 }, () => newId('key_', 1).slice(14));
  assert.equal(new Set(ids).size, ids.length);
  for (let at = 0; at < 16; at++) assert.equal(new Set(ids.map((id) => id[at])).size, 32, `digit ${at}`);
});
