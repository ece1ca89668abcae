import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { foldName } from './fold-name.ts';

const opened = openTestDatabase('postgres');
after(async () => (await opened).close());

test('case folding follows Unicode: names that are equal under full case folding are equal', async () => {
  const { database } = await opened;
  // Another implementation of Unicode's full case folding.
  const { rows } = await sql<{ letter: string; folded: string }>`
    SELECT letter, casefold(letter COLLATE "pg_unicode_fast") AS folded
    FROM (SELECT chr(code) AS letter FROM generate_series(1, 131071) AS code WHERE code NOT BETWEEN 55296 AND 57343)
    WHERE casefold(letter COLLATE "pg_unicode_fast") <> letter`.execute(database.kysely);
  assert.ok(rows.length > 1400);
  for (const { letter, folded } of rows) assert.equal(foldName(letter), foldName(folded), letter);
});

test('folding a folded name, in any case, changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const folded = foldName(name);
      assert.equal(foldName(folded), folded);
      assert.equal(foldName(name.toUpperCase()), foldName(name.toUpperCase().toLowerCase()));
      assert.equal(foldName(name.normalize('NFD')), foldName(name.normalize('NFC')));
    }),
    { numRuns: runCount(100, 5000) },
  );
});

test('names that look or mean the same are equal, and other letters stay different', () => {
  const same: [string, string][] = [
    ['Straße', 'STRASSE'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
    ['İstanbul', 'istanbul'],
    ['ﬁle', 'FILE'],
    ['Ａｐｉ', 'api'],
    ['Crème Brûlée', 'creme brulee'],
    ['Ёлка', 'елка'],
    ['København', 'kobenhavn'],
    ['שָׁלוֹם'.normalize('NFD'), 'שָׁלוֹם'.normalize('NFC')],
    ['مُحَمَّد', 'محمد'],
    ['❤️', '❤'],
    ['می\u200cخواهم', 'میخواهم'],
  ];
  for (const [one, other] of same) assert.equal(foldName(one), foldName(other), `${one} and ${other}`);
  for (const [one, other] of [
    ['か', 'が'],
    ['กา', 'กี'],
    ['कि', 'की'],
    ['가', '각'],
    ['a', 'α'],
  ] as const) {
    assert.notEqual(foldName(one), foldName(other), `${one} and ${other}`);
  }
});
