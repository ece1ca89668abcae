/** A revoke of all keys that the previous version has not finished stays in effect and can be finished. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Migrator } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`a workspace whose keys are being revoked keeps its row, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0017-key-life')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1, revoking_at: 5 }).execute();
    const names = { workspace_id: 'ws', created_by: 'usr_1', name: 'x', name_folded: 'x', scopes: '' };
    await db
      .insertInto('api_key')
      .values({ id: 'key_1', ...names, created_at: 1, expires_at: null, revoked_at: null, revoked_by: null })
      .execute();

    assert.equal((await migrator.migrateToLatest()).error, undefined);

    await assert.rejects(db.deleteFrom('workspace').execute(), /keys of this workspace are being revoked/);
    await assert.rejects(db.updateTable('workspace').set({ id: 'other' }).execute(), /never changes/);
    await db.updateTable('api_key').set({ revoked_at: 6, revoked_by: 'usr_1' }).execute();
    await db.updateTable('workspace').set({ revoking_at: null }).execute();
    const { revoking_at } = await db.selectFrom('workspace').select('revoking_at').executeTakeFirstOrThrow();
    assert.equal(revoking_at, null);
  });
}
