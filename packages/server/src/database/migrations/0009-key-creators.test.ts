/** Keys, secrets and revokes of the previous schema stay unchanged, and are found and published by the new rules. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { revocableKeysQuery } from '../../keys/descendants.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`keys of the previous schema are found by their creator, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0008-search')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const parts = { prefix: 'sk_live_', preview_start: '2bA', preview_end: 'iXy', created_at: 1 };
    for (const [id, creator] of [
      ['root', 'usr_1'],
      ['child', 'root'],
      ['revoked', 'root'],
      ['below', 'revoked'],
    ] as const) {
      await db
        .insertInto('api_key')
        .values({
          ...{ id, name: id, workspace_id: 'ws', created_by: creator, name_folded: id, scopes: '' },
          ...{ created_at: 1, rate_limit: null, expires_at: null, revoked_at: null, revoked_by: null },
        })
        .execute();
      await db
        .insertInto('api_key_secret')
        .values({ ...parts, key_id: id, hash: randomBytes(32) })
        .execute();
    }
    const revoke = (id: string) =>
      db.updateTable('api_key').set({ revoked_at: 2, revoked_by: 'usr_1' }).where('id', '=', id).execute();
    await revoke('revoked');
    const content = async () => [
      await db.selectFrom('api_key').selectAll().orderBy('id').execute(),
      await db.selectFrom('api_key_secret').selectAll().orderBy('key_id').execute(),
      await db.selectFrom('dead_hash').selectAll().execute(),
    ];
    const before = await content();
    const changes = async () =>
      Number((await sql<{ n: number }>`SELECT count(*) AS n FROM key_change`.execute(db)).rows[0]?.n);
    const published = which === 'postgres' ? await changes() : 0;

    assert.equal((await migrator.migrateTo('0009-key-creators')).error, undefined);

    assert.deepEqual(await content(), before);
    const family = await revocableKeysQuery(db, 'root', 'ws').execute();
    assert.deepEqual(family.map(({ id }) => id).toSorted(), ['below', 'child', 'root']);
    await assert.rejects(
      db.updateTable('api_key').set({ revoked_at: null }).where('id', '=', 'revoked').execute(),
    );
    if (which === 'postgres') assert.equal(await changes(), published, 'no change is published');
    await revoke('child');
    assert.equal((await db.selectFrom('dead_hash').selectAll().execute()).length, 2);
    if (which === 'postgres') assert.equal(await changes(), published + 1, 'later changes are published');
  });
}
