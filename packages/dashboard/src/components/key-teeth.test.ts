import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey, parseKey } from '@soku/key';
import { type Blade, filledBlade, outlinedBlade, splitPreview, toothLengths } from './key-teeth.ts';

const comb: Blade = {
  spine: { top: 0, bottom: 2, outline: 2.5, start: 0, end: 23 },
  tooth: { start: 0, width: 3, pitch: 4 },
  ends: [4, 7, 10, 13],
};

test('each character of base 62 is a tooth of one of four lengths', () => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const expected = { '0123456789ABCDEF': 0, GHIJKLMNOPQRSTU: 1, VWXYZabcdefghijk: 2, lmnopqrstuvwxyz: 3 };
  assert.equal(Object.keys(expected).join(''), digits);
  for (const [characters, length] of Object.entries(expected)) {
    for (const character of characters) {
      const preview = `sk_live_${character}00...00${character}`;
      assert.deepEqual(toothLengths(preview), [length, 0, 0, 0, 0, length], character);
    }
  }
});

test('the teeth are those of the visible characters, in their order, whatever the prefix', () => {
  for (const prefix of ['sk_live_', 'k_', 'a_much_longer_pref_']) {
    assert.deepEqual(toothLengths(`${prefix}IrG...vKB`), [1, 3, 1, 3, 1, 0], prefix);
    assert.deepEqual(splitPreview(`${prefix}IrG...vKB`), { prefix, start: 'IrG', end: 'vKB' });
  }
});

test('every generated key has six teeth', () => {
  const key = generateKey();
  const parts = parseKey(key, ['sk_live_']);
  assert.ok(parts);
  const preview = `${parts.prefix}${parts.previewStart}...${parts.previewEnd}`;
  assert.equal(toothLengths(preview).length, 6);
});

test('a preview that was damaged in the database still has a drawing', () => {
  assert.deepEqual(toothLengths('sk_live_?Gz...\u{1F511}a'), [0, 1, 3, 3, 2]);
  assert.deepEqual(toothLengths(''), []);
  assert.equal(filledBlade(comb, []), 'M0 0H23V2H0Z');
});

test('the filled blade has a spine and a tooth for each length', () => {
  const teeth = toothLengths('sk_live_IrG...vKB');
  assert.equal(
    filledBlade(comb, teeth),
    'M0 0H23V2H0ZM0 2h3V7h-3ZM4 2h3V13h-3ZM8 2h3V7h-3ZM12 2h3V13h-3ZM16 2h3V7h-3ZM20 2h3V4h-3Z',
  );
});

test('the outline of a revoked key goes around the same blade', () => {
  assert.equal(
    outlinedBlade(comb, toothLengths('sk_live_IrG...vKB')),
    'M0.5 0.5H22.5V2.5H22.5V3.5H20.5V2.5H18.5V6.5H16.5V2.5H14.5V12.5H12.5V2.5H10.5V6.5H8.5V2.5H6.5V12.5H4.5V2.5H2.5V6.5H0.5V2.5H0.5Z',
  );
});
