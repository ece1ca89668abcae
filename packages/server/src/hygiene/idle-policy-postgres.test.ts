/** The search for idle keys beside other commands, and with the clock of the database. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { sql } from 'kysely';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { IdlePolicy } from './idle-policy.ts';

/** A workspace whose idle keys are disabled after 30 days, and a time since which their uses are known. */
async function setUp(t: TestContext) {
  const { database, close } = await openTestDatabase('postgres');
  t.after(close);
  const db = database.kysely;
  const now = Date.now();
  await db
    .insertInto('workspace')
    .values({ id: 'ws_1', name: 'x', max_key_idle: 30, created_at: 1 })
    .execute();
  return { database, db, now, known: now - 300 * day };
}

test('a key that a command has locked is left to the next search, and a clock that is ahead finds no idle keys', async (t) => {
  const { database, db, now, known } = await setUp(t);
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
      paused: (nodes) => assert.fail(`paused by ${nodes.join()}`),
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

test('no key is disabled while a node may have uses that are not written', async (t) => {
  const { database, db, now, known } = await setUp(t);
  const watched = { complete_since: known, watched_since: known, watched_until: now - 1000 };
  await db.updateTable('usage_history').set(watched).execute();
  const key = newKey({ workspaceId: 'ws_1', name: 'x', createdAt: now - 40 * day });
  await insertNewKey(db, key);
  const ended = { days: 30, first_at: now - 14 * day, last_at: now - 3 * day };
  await db
    .insertInto('idle_warning')
    .values({ key_id: key.id, idle_since: now - 40 * day, ...ended })
    .execute();
  for (const id of ['one', 'two'])
    await sql`INSERT INTO verifier_node (id, name, acked_seq, renewal) VALUES (${id}, ${id}, 0, '')`.execute(
      db,
    );
  /** @param age in seconds; null: not known */
  const write = async (id: string, age: number | null) => {
    await sql`UPDATE verifier_node SET usage_written_at =
      extract(epoch FROM clock_timestamp()) * 1000 - ${age}::integer * 1000 WHERE id = ${id}`.execute(db);
  };
  /** Looks once; `meanwhile` runs between the search and the command. Returns the nodes that prevent it. */
  const look = async (meanwhile: () => Promise<void> = async () => undefined) => {
    let paused: readonly string[] = [];
    await new IdlePolicy({
      db,
      propagation: {
        commit: async (work) => {
          await meanwhile();
          return propagationOf(database).commit(work);
        },
      },
      lastOpenUse: () => undefined,
      now: () => now,
      failed: (error) => assert.fail(String(error)),
      paused: (nodes) => {
        paused = nodes;
      },
      reset: () => undefined,
    }).apply();
    return paused;
  };
  const isDisabled = async () => {
    const { disabled_at } = await db.selectFrom('api_key').select('disabled_at').executeTakeFirstOrThrow();
    return disabled_at !== null;
  };
  assert.deepEqual(await look(), ['one', 'two'], 'nodes that do not report it');
  await write('one', 0);
  assert.deepEqual(await look(), ['two'], 'a node whose last write failed');
  await write('two', 150);
  assert.deepEqual(await look(), ['two'], 'a node whose write takes long');
  const { watched_until } = await db
    .selectFrom('usage_history')
    .select('watched_until')
    .executeTakeFirstOrThrow();
  assert.equal(watched_until, watched.watched_until, 'this time does not count');
  await write('two', 30);
  assert.deepEqual(await look(() => write('two', null)), [], 'a write that fails during the search');
  assert.equal(await isDisabled(), false);
  await write('two', 30);
  assert.deepEqual(await look(), []);
  assert.equal(await isDisabled(), true);
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
