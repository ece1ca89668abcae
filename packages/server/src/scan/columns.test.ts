import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { utf16 } from '../../../../test/support/planted-keys.ts';
import { KeyFinder } from './find-in-text.ts';
import { scanBytes } from './scan-bytes.ts';

const key = generateKey({ prefix: 'acme_key_' });
const finder = new KeyFinder(['acme_key_']);

const before: Record<string, { text: string; column: number }> = {
  nothing: { text: '', column: 1 },
  'two letters': { text: 'ab', column: 3 },
  'a letter with two bytes': { text: '\u00e9', column: 2 },
  'a letter with three bytes': { text: '\u20ac', column: 2 },
  'an emoji, which has two code units': { text: '\u{1f511}', column: 3 },
  'other lines': { text: 'one\n\u00e9\n\u00e9\u{1f511} ', column: 5 },
};

for (const [name, { text, column }] of Object.entries(before)) {
  test(`columns are UTF-16 code units after ${name}`, async () => {
    const line = text.split('\n').length;
    const files = {
      'UTF-8': Buffer.from(text + key),
      'UTF-8 with a byte order mark': Buffer.from(`\ufeff${text}${key}`),
      'UTF-16LE': utf16(text + key),
      'UTF-16BE': utf16(text + key, true),
      percent: Buffer.from(text + key.replaceAll('_', '%5F')),
    };
    for (const [encoding, bytes] of Object.entries(files)) {
      const [found, ...others] = await scanBytes(finder, [bytes]);
      assert.deepEqual([found?.line, found?.column, others], [line, column, []], encoding);
    }
  });
}

test('the column of a key is correct even if a chunk of the file ends in the middle of a character', async () => {
  const text = `first\n${'\u{1f511}\u00e9'.repeat(500)}`;
  const bytes = Buffer.from(text + key);
  for (let size = 1000; size < 1006; size++) {
    const pieces = [bytes.subarray(0, size), bytes.subarray(size, 2 * size), bytes.subarray(2 * size)];
    const [found] = await scanBytes(finder, pieces, 1);
    assert.deepEqual([found?.line, found?.column], [2, 1501], String(size));
  }
});
