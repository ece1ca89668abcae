import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnOfPath, importColumns, readImportHeader, readImportRow } from './import-table.ts';
import { checkImportKey } from './imports.ts';

const hash = 'a'.repeat(64);

function keyOf(header: string[], cells: string[]): unknown {
  const { columns, problem } = readImportHeader(header);
  assert.equal(problem, undefined);
  const row = readImportRow(columns ?? [], cells);
  assert.equal(row.problem, undefined);
  return row.key;
}

test('a row with every column is a key with every field', () => {
  const cells: Record<string, string> = {
    name: 'Billing',
    hash,
    previewStart: 'acme_12',
    previewEnd: 'xyz',
    expiresAt: '2099-01-01T00:00:00Z',
    scopes: 'files:read  files:write',
    environment: 'live',
    allowedAddresses: '192.0.2.1 2001:db8::/32',
    rateLimit: '60',
    externalId: 'cus_1',
    metadata: '{"plan":"pro"}',
    createdAt: '2024-01-01T00:00:00Z',
  };
  const key = keyOf(
    [...importColumns],
    importColumns.map((column) => cells[column] ?? ''),
  );
  const fields = {
    ...cells,
    scopes: ['files:read', 'files:write'],
    allowedAddresses: ['192.0.2.1', '2001:db8::/32'],
    rateLimit: 60,
    metadata: { plan: 'pro' },
  };
  assert.deepEqual(key, fields);
  assert.deepEqual(checkImportKey(key).key, fields);
});

test('columns can have any order, and the spelling of databases', () => {
  const header = ['Hash', 'preview_start', 'External ID', 'NAME'];
  assert.deepEqual(keyOf(header, [hash, '', ' cus_1 ', 'x']), { hash, externalId: 'cus_1', name: 'x' });
});

test('an empty cell is a missing field, and an empty name is a problem of the name', () => {
  assert.deepEqual(keyOf(['name', 'hash', 'expiresAt'], ['x', hash, ' ']), { name: 'x', hash });
  const { problems } = checkImportKey(keyOf(['name', 'hash'], ['', hash]));
  assert.deepEqual(problems, [{ path: 'name', problem: 'must not be empty' }]);
});

test('a limit can be off, and a cell that cannot be read is a problem of its column', () => {
  assert.deepEqual(keyOf(['name', 'hash', 'rateLimit'], ['x', hash, 'off']), {
    name: 'x',
    hash,
    rateLimit: 'off',
  });
  for (const [column, cell] of [
    ['rateLimit', '-1'],
    ['rateLimit', '1e3'],
    ['metadata', '{plan}'],
    ['metadata', '[1]'],
    ['scopes', 'files:read,files:write'],
    ['expiresAt', '31.12.2099'],
  ] as const) {
    const { problems } = checkImportKey(keyOf(['name', 'hash', column], ['x', hash, cell]));
    assert.deepEqual(
      problems?.map(({ path }) => columnOfPath(path)),
      [column],
      cell,
    );
  }
});

test('a wrong header is explained without repeating its text, which may be a row with a key', () => {
  assert.match(readImportHeader(['name', 'secret']).problem ?? '', /^column 2 is not a field.*previewStart/);
  assert.match(readImportHeader(['name', 'hash', 'Name']).problem ?? '', /two columns name/);
  assert.match(readImportHeader(['name']).problem ?? '', /column hash is missing/);
  assert.match(readImportHeader([]).problem ?? '', /column name is missing/);
  assert.match(readImportHeader(['__proto__', 'constructor']).problem ?? '', /column 1/);
});

test('a row with more or fewer cells than the header is a problem', () => {
  assert.equal(readImportRow(['name', 'hash'], ['x']).problem, 'has 1 cells, and the header has 2');
  assert.equal(readImportRow(['name', 'hash'], ['x', hash, '']).problem, 'has 3 cells, and the header has 2');
});
