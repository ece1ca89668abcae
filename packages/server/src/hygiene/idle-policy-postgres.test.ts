/** The search for idle keys beside other commands, and with the clock of the database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { IdlePolicy } from './idle-policy.ts';

test('a key that a command has locked is left to the next search, and a fast clock finds nothing', async (t) => {
  const { database, close } = await openTestDatabase('postgres');
  t.after(close);
  const db = database.kysely;
  const now = Date.now();
  const known = now - 300 * day;
  await db
    .insertInto('workspace')
    .values({ id: 'ws_1', name: 'x', max_key_idle: 30, created_at: 1 })
    .execute();
  await db.updateTable('usage_history').set({ complete_since: known, watched_since: known }).execute();
  const keys = [1, 15].map((age) =>
    newKey({ workspaceId: 'ws_1', name: `${age}`, createdAt: now - age * day - 2 * day }),
  );
  for (const key of keys) await insertNewKey(db, key);
  const look = (clock: number) =>
    new IdlePolicy({
      db,
      propagation: propagationOf(database),
      lastOpenUse: () => undefined,
      now: () => clock,
      failed: (error) => assert.fail(String(error)),
      reset: () => undefined,
    }).apply();
  const warned = async () => {
    const rows = await db.selectFrom('audit_event').select('target_name').orderBy('id').execute();
    return rows.map(({ target_name }) => target_name);
  };
  assert.ok(database.kind === 'postgres');
  const session = await database.pool.connect();
  try {
    await session.query('BEGIN');
    await session.query('SELECT 1 FROM api_key WHERE id = $1 FOR NO KEY UPDATE', [keys[1]?.id]);
    await look(now);
    assert.deepEqual(await warned(), []);
    await session.query('COMMIT');
  } finally {
    session.release();
  }
  await look(now + 20 * day);
  assert.deepEqual(await warned(), ['15']);
});

test('a key that a server of the previous version enables or revives is idle since then', async (t) => {
  const { database, close } = await openTestDatabase('postgres');
  t.after(close);
  const db = database.kysely;
  await db.insertInto('workspace').values({ id: 'ws_1', name: 'x', created_at: 1 }).execute();
  /** Changes a key, which has some of these columns, without `resumed_at`. */
  const change = async (before: object, after: object) => {
    const key = newKey({ workspaceId: 'ws_1', name: 'x', createdAt: 1 });
    await insertNewKey(db, key);
    const set = (row: object) => db.updateTable('api_key').set(row).where('id', '=', key.id);
    await set(before).execute();
    const { resumed_at } = await set(after).returning('resumed_at').executeTakeFirstOrThrow();
    return resumed_at === null ? null : Date.now() - resumed_at < day;
  };
  const later = Date.now() + day;
  assert.equal(await change({ disabled_at: 1 }, { disabled_at: null }), true);
  assert.equal(await change({ expires_at: 1 }, { expires_at: later }), true);
  assert.equal(await change({ expires_at: 1 }, { expires_at: null }), true);
  assert.equal(await change({ name: 'y' }, { disabled_at: 1 }), null);
  assert.equal(await change({ expires_at: later }, { expires_at: null }), null);
  assert.equal(await change({ disabled_at: 1 }, { name: 'y' }), null);
});
