import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { keys } from '../../../test/support/arbitrary-keys.ts';
import { checksum, crc32, hasValidChecksum } from './checksum.ts';
import { alphabet } from './format.ts';

/** An independent implementation with zlib's CRC and BigInt division. */
function independentChecksum(text: string): string {
  let rest = BigInt(zlibCrc32(Buffer.from(text, 'ascii')));
  const digits: string[] = [];
  while (digits.length < 6) {
    digits.unshift(alphabet.charAt(Number(rest % 62n)));
    rest /= 62n;
  }
  return digits.join('');
}

test('CRC-32 has the check value of its catalogue entry (CRC-32/ISO-HDLC)', () => {
  assert.equal(crc32('123456789'), 0xcbf43926);
  assert.equal(crc32(''), 0);
  assert.equal(crc32('123456789 and more', 9), 0xcbf43926);
});

test('CRC-32 and checksum agree with zlib for every ASCII text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
      assert.equal(crc32(text), zlibCrc32(Buffer.from(text, 'ascii')));
      assert.equal(checksum(text), independentChecksum(text));
    }),
  );
});

test('known answers: checksums of whole keys, padded where the CRC is small', () => {
  // Computed once with Python 3 (zlib.crc32 and divmod).
  assert.equal(checksum('sk_live_00000000000000000000000000'), '3CdOEy');
  assert.equal(checksum('sk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZ'), '3s2Qh6');
  assert.equal(checksum('acme_abcdefghijklmnopqrstuvwxyz'), '3REsgo');
  assert.equal(checksum('sk_live_00000000000000000000011030'), '000pEE');
});

test('the checksum of non-ASCII text is an error', () => {
  for (const text of ['\u00e4', 'sk_live_\u0080', '\ud800']) {
    assert.throws(() => checksum(text), { name: 'KeyUsageError', code: 'not_ascii' });
  }
});

test('a checksum matches only the text that it was computed from', () => {
  fc.assert(
    fc.property(keys, fc.constantFrom(...alphabet), fc.integer({ min: 34, max: 39 }), (key, other, at) => {
      assert.equal(hasValidChecksum(key), true);
      const changed = key.slice(0, at) + other + key.slice(at + 1);
      assert.equal(hasValidChecksum(changed), changed === key);
    }),
  );
});

test('a value of 2^32 or more never matches, even if it equals the CRC modulo 2^32', () => {
  fc.assert(
    fc.property(keys, (key) => {
      const unchecked = key.slice(0, -6);
      let rest = BigInt(crc32(unchecked)) + 2n ** 32n;
      let digits = '';
      for (let i = 0; i < 6; i++) {
        digits = alphabet.charAt(Number(rest % 62n)) + digits;
        rest /= 62n;
      }
      assert.equal(hasValidChecksum(unchecked + digits), false);
    }),
  );
});
