/** Keys of the previous schema get their previews; later secrets change them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Migrator } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`each key has the preview of its newest secret, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0014-key-lists')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const insertKey = (id: string) =>
      db
        .insertInto('api_key')
        .values({
          ...{ id, workspace_id: 'ws', created_by: 'usr_1', name: id, name_folded: id, scopes: '' },
          ...{ created_at: 1, rate_limit: null, expires_at: null, revoked_at: null, revoked_by: null },
        })
        .execute();
    const insertSecret = (key_id: string, preview_start: string, created_at: number) =>
      db
        .insertInto('api_key_secret')
        .values({
          hash: randomBytes(32),
          key_id,
          prefix: 'sk_',
          preview_start,
          preview_end: 'iXy',
          created_at,
        })
        .execute();
    const previews = async () =>
      (await db.selectFrom('key_preview').selectAll().orderBy('key_id').execute()).map((row) =>
        Object.values(row).join(' '),
      );
    await insertKey('key_1');
    await insertSecret('key_1', 'new', 9);
    await insertSecret('key_1', 'old', 8);

    assert.equal((await migrator.migrateTo('0015-previews')).error, undefined);
    assert.deepEqual(await previews(), ['key_1 ws sk_new...iXy']);

    await insertKey('key_2');
    await insertSecret('key_2', 'abc', 5);
    assert.deepEqual(await previews(), ['key_1 ws sk_new...iXy', 'key_2 ws sk_abc...iXy']);
    await insertSecret('key_1', 'xyz', 10);
    await insertSecret('key_2', 'xyz', 4);
    assert.deepEqual(await previews(), ['key_1 ws sk_xyz...iXy', 'key_2 ws sk_abc...iXy']);
  });
}
