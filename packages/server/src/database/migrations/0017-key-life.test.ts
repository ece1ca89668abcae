/** Keys of the previous schema stay as they were, and get what the new columns need. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`keys and secrets of the previous schema are kept, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0016-usage-passes')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const insertKey = (id: string) =>
      db
        .insertInto('api_key')
        .values({
          ...{ id, workspace_id: 'ws', created_by: 'usr_1', name: id, name_folded: id, scopes: 'keys:read' },
          ...{ created_at: 1, rate_limit: 7, expires_at: null, revoked_at: null, revoked_by: null },
        })
        .execute();
    const insertSecret = (key_id: string) =>
      db
        .insertInto('api_key_secret')
        .values({
          hash: randomBytes(32),
          key_id,
          prefix: 'sk_',
          preview_start: 'abc',
          preview_end: 'xyz',
          created_at: 1,
        })
        .execute();
    await insertKey('key_1');
    await insertSecret('key_1');
    await insertSecret('key_1');
    const token_hash = randomBytes(32);
    await db
      .insertInto('idempotency')
      .values({ workspace_id: 'ws', token_hash, key_id: 'key_1', created_at: 5 })
      .execute();
    const before = await db.selectFrom('api_key_secret').selectAll().orderBy('hash').execute();

    assert.equal((await migrator.migrateToLatest()).error, undefined);

    const [key] = await db.selectFrom('api_key').selectAll().execute();
    assert.deepEqual(
      [
        key?.scopes,
        Number(key?.rate_limit),
        key?.environment,
        key?.allowed_addresses,
        key?.disabled_at,
        key?.metadata,
      ],
      ['keys:read', 7, 'live', '', null, null],
    );
    // The previous version inserts secrets without an ID during a rolling upgrade.
    await insertSecret('key_1');
    const secrets = await db.selectFrom('api_key_secret').selectAll().orderBy('hash').execute();
    const ids = secrets.map(({ id }) => id);
    for (const id of ids) assert.match(id, /^sec_[0-9a-f]{26}$/);
    assert.equal(new Set(ids).size, 3);
    const kept = secrets.filter(({ hash }) => before.some((old) => Buffer.compare(old.hash, hash) === 0));
    assert.deepEqual(
      kept.map(({ id: _id, grace_ms: _grace, ...rest }) => rest),
      before.map((row) => ({ ...row })),
    );
    const [token] = await db.selectFrom('idempotency').selectAll().execute();
    assert.deepEqual([token?.key_id, Number(token?.created_at)], ['key_1', 5]);
    const { rows } = await sql`SELECT 1 FROM idempotency WHERE token_hash = ${token_hash}`.execute(db);
    assert.equal(rows.length, 1);
  });
}
