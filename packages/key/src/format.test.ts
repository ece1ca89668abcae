import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alphabet, bodyLength, digitValue, formatPreview, isPrefix } from './format.ts';

test('a prefix is a lowercase letter, up to 18 lowercase letters, digits and underscores, and an underscore', () => {
  for (const prefix of ['sk_live_', 'a_', 'a__', 'k2_', `a${'b'.repeat(18)}_`]) {
    assert.equal(isPrefix(prefix), true, prefix);
  }
  const impossible = [
    '',
    '_',
    'a',
    'sk',
    'sk_live',
    'Sk_',
    'sK_',
    '1k_',
    '_k_',
    'sk-',
    'sk-_',
    'sk _',
    '\u00e4_',
  ];
  for (const text of [...impossible, 'sk_\n', '\nsk_', ' sk_', `a${'b'.repeat(19)}_`, `${'_'.repeat(20)}`]) {
    assert.equal(isPrefix(text), false, JSON.stringify(text));
  }
});

test('the digits of base 62 are 0-9, A-Z, a-z in that order, and nothing else is a digit', () => {
  assert.equal(alphabet, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
  for (let code = 0; code <= 0xffff; code++) {
    assert.equal(digitValue(code), alphabet.indexOf(String.fromCharCode(code)));
  }
});

test('a body has 32 characters', () => {
  assert.equal(bodyLength, 32);
});

test('a preview is the prefix, the first 3 and the last 3 characters', () => {
  assert.equal(
    formatPreview({ prefix: 'sk_live_', previewStart: 'abc', previewEnd: 'xyz' }),
    'sk_live_abc...xyz',
  );
});
