import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTableFile, UnsuitableFile } from './read-file.ts';

const read = (name: string, content: string | Uint8Array<ArrayBuffer>) =>
  readTableFile(new File([content], name), ['sk_live_']);

test('rows have the numbers that a spreadsheet shows, with empty lines and lines in quotes', async () => {
  for (const end of ['\n', '\r\n']) {
    const text = ['name,hash', '', 'a,1', `"b${end}b",2`, '', '', 'c,3', ''].join(end);
    const file = await read('keys.csv', `\uFEFF${text}`);
    assert.deepEqual(file.columns, ['name', 'hash']);
    assert.deepEqual(
      file.rows.map(([name], i) => [name, file.numbers[i]]),
      [
        ['a', 3],
        [`b${end}b`, 4],
        ['c', 7],
      ],
    );
  }
  const json = await read('keys.json', '[{"name":"a"},\n\n{"name":"b"}]');
  assert.deepEqual(json.numbers, [1, 2]);
});

test('a file that is not UTF-8 is rejected: its names would be stored with other characters', async () => {
  for (const [name, text] of [
    ['keys.csv', 'name,hash\nM\xfcnchen,1\n'],
    ['keys.json', '[{"name":"M\xfcnchen"}]'],
  ] as const) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    await assert.rejects(
      read(name, bytes),
      (error) => error instanceof UnsuitableFile && /UTF-8/.test(error.message),
    );
    assert.equal((await read(name, text)).rows[0]?.[0], 'München');
  }
});
