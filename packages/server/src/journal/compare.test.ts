import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { compareHashes, revokeMissing, seemsOutdated } from './compare.ts';
import { RevokedHashFile } from './file.ts';

function hash(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

const digits = (names: string[]) => names.map((name) => hash(name).toString('hex'));

/** Creates a database in which some hashes are revoked, and a journal with some records. */
async function both(t: TestContext, revoked: string[], records: string[]) {
  const { directory, database, close } = await openTemporarySqlite();
  t.after(close);
  const { kysely } = database;
  const rows = revoked.map((name) => ({ hash: hash(name) }));
  if (rows.length > 0) await kysely.insertInto('dead_hash').values(rows).execute();
  const file = new RevokedHashFile(directory.path);
  await file.append(digits(records));
  return { kysely, file, older: await seemsOutdated(kysely, await file.inspect()) };
}

test('a database that lacks a record is detected as older, even if it has the same number of hashes', async (t) => {
  assert.equal((await both(t, [], [])).older, false);
  assert.equal((await both(t, ['a', 'b'], ['b', 'a'])).older, false);
  assert.equal((await both(t, ['a'], ['a', 'b'])).older, true);
  assert.equal((await both(t, ['a', 'c'], ['a', 'b'])).older, true);
  assert.equal((await both(t, ['a', 'b', 'c'], ['a', 'b'])).older, false);
  const many = Array.from({ length: 1500 }, (_, i) => `name ${i}`);
  assert.equal((await both(t, many.slice(1), many)).older, true);
});

test('hashes that only the journal or only the database has are found at any position, without blocking other work', async (t) => {
  const names = Array.from({ length: 10_500 }, (_, i) => `name ${i}`);
  const { kysely, file } = await both(t, ['later', ...names], ['missing', ...names.slice(1)]);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  t.after(() => clearInterval(timer));
  const { onlyInJournal, onlyInDatabase } = await compareHashes(kysely, await file.readAll());
  assert.deepEqual(Array.from(onlyInJournal), digits(['missing']));
  assert.deepEqual(onlyInDatabase.sort(), digits(['later', 'name 0']).sort());
  assert.ok(turns > 2, `${turns} turns`);
});

test('a key is revoked again when all of its secrets are', async (t) => {
  const { kysely } = await both(t, [], []);
  await kysely
    .insertInto('workspace')
    .values({ id: 'ws', name: 'x', rate_limit: null, created_at: 1 })
    .execute();
  for (const id of ['one secret', 'two secrets', 'active']) {
    await kysely
      .insertInto('api_key')
      .values({
        ...{ id, workspace_id: 'ws', created_by: 'x', name: 'x', name_folded: 'x', scopes: '' },
        ...{ expires_at: null, rate_limit: null, created_at: 1, revoked_at: null, revoked_by: null },
      })
      .execute();
  }
  const secrets = { a: 'one secret', b: 'two secrets', c: 'two secrets', d: 'active' };
  for (const [name, key_id] of Object.entries(secrets)) {
    await kysely
      .insertInto('api_key_secret')
      .values({ hash: hash(name), key_id, prefix: '', preview_start: '', preview_end: '', created_at: 1 })
      .execute();
  }
  const revoked = async () => {
    const rows = await kysely
      .selectFrom('api_key')
      .select(['id', 'revoked_by'])
      .where('revoked_at', '=', 5)
      .execute();
    return rows.map(({ id, revoked_by }) => `${id} by ${revoked_by}`);
  };
  assert.deepEqual(await revokeMissing(kysely, new Set(digits(['a', 'b', 'of no key'])), 5), {
    hashes: 3,
    keys: 1,
  });
  assert.deepEqual(await revoked(), ['one secret by journal']);
  assert.deepEqual(await revokeMissing(kysely, new Set(digits(['a', 'b', 'c'])), 5), { hashes: 1, keys: 1 });
  assert.deepEqual(await revoked(), ['one secret by journal', 'two secrets by journal']);
  const revokedHashes = await kysely.selectFrom('dead_hash').select('hash').execute();
  assert.deepEqual(
    revokedHashes.map((row) => Buffer.from(row.hash).toString('hex')).sort(),
    digits(['a', 'b', 'c', 'of no key']).sort(),
  );
});
