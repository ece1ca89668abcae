/** The days of the past follow from the hourly counts. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Migrator } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`stored usage is in the days of its keys and workspaces, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0022-hygiene')).error, undefined);
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
    const hashes = [randomBytes(32), randomBytes(32)];
    for (const [i, hash] of hashes.entries()) {
      const id = `key_${i}`;
      await db
        .insertInto('api_key')
        .values({
          ...{ id, workspace_id: 'ws', created_by: 'usr_1', name: id, name_folded: id, scopes: '' },
          ...{ created_at: 1, rate_limit: null, expires_at: null, revoked_at: null, revoked_by: null },
        })
        .execute();
      const preview = { prefix: 'sk_live_', preview_start: '2bA', preview_end: 'iXy' };
      await db
        .insertInto('api_key_secret')
        .values({ hash, key_id: id, ...preview, created_at: 1 })
        .execute();
    }
    const [hash = Buffer.alloc(0), other = Buffer.alloc(0)] = hashes;
    await db
      .insertInto('usage_hour')
      .values([
        { hour: 24 * 1000, key_id: 'key_0', hash, accepted: 5, refused: 4, last_at: null },
        { hour: 24 * 1000 + 23, key_id: 'key_0', hash, accepted: 3, refused: 0, last_at: null },
        { hour: 24 * 1000 + 23, key_id: 'key_1', hash: other, accepted: 2, refused: 0, last_at: null },
        { hour: 24 * 1001, key_id: 'key_0', hash, accepted: 1, refused: 0, last_at: null },
      ])
      .execute();
    // The code of one rejection is not stored.
    await db
      .insertInto('usage_refusal')
      .values({ hour: 24 * 1000, workspace_id: 'ws', key_id: 'key_0', code: 'expired_key', requests: 3 })
      .execute();
    assert.equal((await migrator.migrateTo('0024-usage-days')).error, undefined);
    const rows = await db
      .selectFrom('usage_day')
      .selectAll()
      .orderBy('day')
      .orderBy('owner')
      .orderBy('outcome')
      .execute();
    const days = rows.map(({ day, owner, hash: secret, outcome, ...hours }) => {
      const used = Object.entries(hours).filter(([, requests]) => Number(requests) > 0);
      return [
        Number(day),
        owner,
        secret.length,
        outcome,
        used.map(([name, requests]) => `${name}: ${requests}`).join(),
      ];
    });
    assert.deepEqual(days, [
      [1000, 'key_0', 32, 'accepted', 'h0: 5,h23: 3'],
      [1000, 'key_0', 0, 'expired_key', 'h0: 3'],
      [1000, 'key_0', 0, 'other', 'h0: 1'],
      [1000, 'key_1', 32, 'accepted', 'h23: 2'],
      [1000, 'ws', 0, 'accepted', 'h0: 5,h23: 5'],
      [1000, 'ws', 0, 'expired_key', 'h0: 3'],
      [1000, 'ws', 0, 'other', 'h0: 1'],
      [1001, 'key_0', 32, 'accepted', 'h0: 1'],
      [1001, 'ws', 0, 'accepted', 'h0: 1'],
    ]);
  });
}
