/** Keys and secrets of the previous schema stay unchanged. Their secrets can be retired, and stay retired. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`secrets of the previous schema can be retired individually, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0009-key-creators')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const ids = {
      id: 'key',
      workspace_id: 'ws',
      created_by: 'usr_1',
      name: 'x',
      name_folded: 'x',
      scopes: '',
    };
    await db
      .insertInto('api_key')
      .values({ ...ids, created_at: 1, rate_limit: 7, expires_at: null, revoked_at: null, revoked_by: null })
      .execute();
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const parts = { key_id: 'key', prefix: 'sk_live_', preview_start: '2bA', preview_end: 'iXy' };
    for (const [i, hash] of [first, second].entries()) {
      await db
        .insertInto('api_key_secret')
        .values({ ...parts, hash, created_at: i })
        .execute();
    }
    const secrets = () => db.selectFrom('api_key_secret').selectAll().orderBy('created_at').execute();
    const before = await secrets();
    const keysBefore = await db.selectFrom('api_key').selectAll().execute();
    const changes = async () => {
      if (which === 'sqlite') return 0;
      return Number((await sql<{ n: number }>`SELECT count(*) AS n FROM key_change`.execute(db)).rows[0]?.n);
    };
    const published = await changes();

    assert.equal((await migrator.migrateTo('0011-secret-lifecycle')).error, undefined);

    assert.deepEqual(
      (await secrets()).map((row) => ({ ...row })),
      before.map((row) => ({ ...row, retires_at: null, retired_at: null })),
    );
    assert.deepEqual(await db.selectFrom('api_key').selectAll().execute(), keysBefore);
    assert.equal(await changes(), published, 'no change is published');

    const set = (values: { retires_at?: number | null; retired_at?: number | null }) =>
      db.updateTable('api_key_secret').set(values).where('hash', '=', first).execute();
    const revokedHashes = async () =>
      (await db.selectFrom('dead_hash').selectAll().execute()).map(({ hash }) => Buffer.from(hash));
    await set({ retires_at: 10 });
    assert.deepEqual(await revokedHashes(), []);
    await set({ retired_at: 11 });
    assert.deepEqual(await revokedHashes(), [first]);
    for (const retired_at of [null, 12])
      await assert.rejects(set({ retired_at }), /a retired secret stays retired/);
    assert.deepEqual(
      (await secrets()).map(({ retired_at }) => Number(retired_at)),
      [11, 0],
    );
    if (which === 'sqlite') return;
    const { rows } = await sql<{ hashes: Uint8Array[]; subject: string }>`
      SELECT subject, hashes FROM key_change ORDER BY seq DESC LIMIT 2`.execute(db);
    assert.equal(await changes(), published + 2, 'each change is published');
    for (const { subject, hashes } of rows) {
      assert.equal(subject, 'key');
      assert.ok(hashes.some((hash) => first.equals(hash)));
    }
    await set({ retired_at: 11 });
    assert.equal(await changes(), published + 2, 'an update without a change is not published');
  });
}
