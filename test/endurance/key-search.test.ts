import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { generateKey } from '@soku/key';
import { findKeyIn, needlesOf } from './key-search.ts';

const key = generateKey();
const bytes = Buffer.from(key);

/** Keys as programs actually write them, each with the encoding that the search must report. */
const planted: [string, string | Buffer, string][] = [
  ['the whole key', key, 'plain'],
  ['the 32 characters', key.slice(-32), 'plain'],
  ['the 26 random characters', key.slice(-32, -6), 'plain'],
  ['hex', bytes.toString('hex'), 'hex'],
  ['uppercase hex', bytes.toString('hex').toUpperCase(), 'hex'],
  ['an inspected Buffer', inspect(bytes), 'hex as a Buffer is inspected'],
  ['JSON of a Buffer', JSON.stringify(bytes), 'decimal bytes'],
  ['decimal bytes with spaces', [...bytes].join(', '), 'decimal bytes'],
  ['JSON of a reversed Buffer', JSON.stringify(Buffer.from(bytes).reverse()), 'decimal bytes, reversed'],
  ['base64', bytes.toString('base64'), 'base64'],
  ['base64 after one byte', Buffer.from(`:${key}`).toString('base64'), 'base64'],
  ['base64url after two bytes', Buffer.from(`u:${key}`).toString('base64url'), 'base64'],
  ['percent-encoding', bytes.toString('hex').replace(/../g, '%$&'), 'percent-encoding'],
  [
    'uppercase percent-encoding',
    bytes.toString('hex').toUpperCase().replace(/../g, '%$&'),
    'percent-encoding',
  ],
  [
    'a key that was percent-encoded twice',
    bytes.toString('hex').replace(/../g, '%25$&'),
    'double percent-encoding',
  ],
  ['JSON escapes', bytes.toString('hex').replace(/../g, '\\u00$&'), 'JavaScript escapes'],
  ['the reversed key', [...key].reverse().join(''), 'reversed'],
  ['UTF-16', Buffer.from(key, 'utf16le'), 'UTF-16, either order'],
  ['big-endian UTF-16', Buffer.from(key, 'utf16le').swap16(), 'UTF-16, either order'],
];

for (const [name, text, encoding] of planted) {
  test(`the search finds ${name}`, () => {
    const haystack = Buffer.concat([Buffer.alloc(1001, '\xff7'), Buffer.from(text), Buffer.alloc(999, 'Zz')]);
    assert.deepEqual(findKeyIn(haystack, needlesOf(key)), [encoding]);
  });
}

test('the search finds every 16 consecutive characters of a key that include random ones', () => {
  const needles = needlesOf(key);
  for (let start = 0; start + 16 <= key.length; start++) {
    assert.deepEqual(
      findKeyIn(Buffer.from(key.slice(start, start + 16)), needles),
      ['plain'],
      `from ${start}`,
    );
  }
});

test('the search finds nothing in another key, in the preview, or in the hash', () => {
  const preview = `sk_live_${key.slice(8, 11)}...${key.slice(-3)}`;
  assert.deepEqual(findKeyIn(Buffer.from(generateKey() + preview), needlesOf(key)), []);
});
