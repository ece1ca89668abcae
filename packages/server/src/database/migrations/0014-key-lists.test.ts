/** Keys and usage of the previous schema get their last use and their totals; later writes update them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { msPerHour } from '@soku/contract/instant';
import { type Kysely, Migrator } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';
import type { Tables } from '../schema.ts';

const hour = Math.floor(Date.now() / msPerHour);
const start = hour * msPerHour;

async function insertKey(db: Kysely<Tables>, id: string): Promise<Uint8Array> {
  await db
    .insertInto('api_key')
    .values({
      ...{ id, workspace_id: 'ws', created_by: 'usr_1', name: id, name_folded: id, scopes: '' },
      ...{ created_at: 1, rate_limit: null, expires_at: null, revoked_at: null, revoked_by: null },
    })
    .execute();
  const hash = randomBytes(32);
  const preview = { prefix: 'sk_live_', preview_start: '2bA', preview_end: 'iXy' };
  await db
    .insertInto('api_key_secret')
    .values({ hash, key_id: id, ...preview, created_at: 1 })
    .execute();
  return hash;
}

const usesOf = (db: Kysely<Tables>) =>
  db.selectFrom('key_use').select(['key_id', 'used_at']).orderBy('key_id').execute();

/** PostgreSQL returns 64-bit numbers as texts. */
const plain = (rows: readonly object[]) =>
  rows.map((row) => Object.values(row).map((value) => (/^\d+$/.test(String(value)) ? Number(value) : value)));

for (const which of bothDatabases) {
  test(`the last use of each key and the totals follow from the usage before, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0013-usage-log')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const used = await insertKey(db, 'key_used');
    const rotated = await insertKey(db, 'key_used_too');
    await insertKey(db, 'key_unused');
    const counts = (at: number, key_id: string, hash: Uint8Array, last_at: number | null) =>
      db
        .insertInto('usage_hour')
        .values({ hour: at, key_id, hash, accepted: 10, refused: last_at === null ? 3 : 0, last_at })
        .execute();
    await counts(hour - 100, 'key_used', used, null);
    await counts(hour - 2, 'key_used', used, start - 2 * msPerHour + 301_000);
    await counts(hour, 'key_used_too', rotated, null);
    const last = { address: '', agent: '' };
    await db
      .insertInto('last_use')
      .values([
        { key_id: 'key_used', hash: used, at: start - 2 * msPerHour + 1000, ...last },
        { key_id: 'key_used_too', hash: rotated, at: start + 599_999, ...last },
      ])
      .execute();

    assert.equal((await migrator.migrateTo('0014-key-lists')).error, undefined);

    assert.deepEqual(plain(await usesOf(db)), [
      ['key_unused', null],
      ['key_used', start - 2 * msPerHour + 300_000],
      ['key_used_too', start + 300_000],
    ]);
    const totals = await db
      .selectFrom('usage_total')
      .select(['hour', 'outcome', 'requests'])
      .orderBy('hour')
      .orderBy('outcome')
      .execute();
    assert.deepEqual(plain(totals), [
      [hour - 2, 'accepted', 10],
      [hour, 'accepted', 10],
      [hour, 'other', 3],
    ]);
    const refusals = await db.selectFrom('usage_refusal').select(['hour', 'key_id', 'code', 'requests']);
    assert.deepEqual(plain(await refusals.execute()), [[hour, 'key_used_too', 'other', 3]]);

    const added = await insertKey(db, 'key_new');
    const move = (key_id: string, hash: Uint8Array, at: number) =>
      db
        .insertInto('last_use')
        .values({ key_id, hash, at, ...last })
        .onConflict((conflict) => conflict.columns(['key_id', 'hash']).doUpdateSet({ at }))
        .execute();
    const usedAt = async (id: string) => plain(await usesOf(db)).find(([keyId]) => keyId === id)?.[1];
    assert.equal(await usedAt('key_new'), null);
    await move('key_new', added, start + 10);
    assert.equal(await usedAt('key_new'), start);
    await move('key_used', used, start + 300_010);
    assert.equal(await usedAt('key_used'), start + 300_000);
    await move('key_used', used, start + 20);
    assert.equal(await usedAt('key_used'), start + 300_000, 'it never decreases');
  });
}
