import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImportKey } from '@soku/contract/imports';
import { guessMapping, stateColumnOf, toKeys } from './columns.ts';
import type { ImportFile } from './read-file.ts';

const hash = 'a'.repeat(64);

function file(columns: string[], ...rows: string[][]): ImportFile {
  return { name: 'keys.csv', columns, rows, numbers: rows.map((_, i) => i + 2) };
}

test('columns are recognized by their names, and the hashes by their cells', () => {
  const named = file(['Key Name', 'NAME', 'key_hash', 'preview-start', 'customer id', '__proto__'], []);
  assert.deepEqual(guessMapping(named), [null, 'name', 'hash', 'previewStart', 'externalId', null]);
  assert.deepEqual(guessMapping(file(['name', 'key'], ['a', hash])), ['name', 'hash']);
  assert.deepEqual(guessMapping(file(['name', 'key'], ['a', hash], ['b', 'x'])), ['name', null]);
});

test('a field has one column', () => {
  assert.deepEqual(guessMapping(file(['start', 'prefix', 'hash'], [])), ['previewStart', null, 'hash']);
});

test('times and lists of other systems are converted, and other texts are left to the API', () => {
  const read = (column: string, cell: string) => {
    const [key] = toKeys(
      file(['name', 'hash', column], ['x', hash, cell]),
      guessMapping(file(['name', 'hash', column])),
    );
    return checkImportKey(key);
  };
  for (const [cell, expected] of [
    ['2099-01-31', '2099-01-31T00:00:00.000Z'],
    ['2099-01-31 12:30:00', '2099-01-31T12:30:00.000Z'],
    ['2099-01-31 12:30:00.123+02', '2099-01-31T10:30:00.123Z'],
    ['2099-01-31T12:30:00Z', '2099-01-31T12:30:00.000Z'],
    ['4073414400', '2099-01-30T00:00:00.000Z'],
    ['4073414400000', '2099-01-30T00:00:00.000Z'],
  ] as const) {
    assert.equal(read('expiresAt', cell).key?.expiresAt, expected, cell);
  }
  for (const cell of ['31.12.2099', '2099-13-01', '2099-02-31', '2099-02-29 12:00:00+02', 'tomorrow']) {
    assert.equal(read('expiresAt', cell).problems?.[0]?.path, 'expiresAt', cell);
  }
  assert.deepEqual(read('scopes', 'files:read, files:write;a:b').key?.scopes, [
    'files:read',
    'files:write',
    'a:b',
  ]);
});

test('a column that states whether a key is accepted is found, because it is not imported', () => {
  for (const column of ['enabled', 'is_active', 'Revoked At', 'deletedAt', 'STATUS'])
    assert.equal(stateColumnOf(file(['name', 'hash', column])), column);
  assert.equal(stateColumnOf(file(['name', 'hash', 'expiresAt', 'statusText'])), undefined);
});
