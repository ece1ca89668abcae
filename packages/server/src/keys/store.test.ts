import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Kysely } from 'kysely';
import { firstCreation, newKey } from '../../../../test/support/new-key.ts';
import { databases, openTestDatabase, whenWaiting } from '../../../../test/support/open-database.ts';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { KeyListReader } from './list-reader.ts';
import { KeyStore } from './store.ts';
import { insertKey, type NewKey, updateKey } from './writes.ts';

const start = firstCreation;
const day = 24 * 60 * 60 * 1000;

const insert = (kysely: Kysely<Tables>, key: NewKey, token: Uint8Array | null = null, most = 1000) =>
  kysely.transaction().execute((db) => insertKey(db, key, token, most, () => null));

for (const which of databases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** Creates a separate workspace for each test. */
  const scene = async () => {
    const { database } = await opened;
    const workspaceId = newId('ws_', start);
    await database.kysely
      .insertInto('workspace')
      .values({ id: workspaceId, name: 'x', created_at: 1 })
      .execute();
    return { database, db: database.kysely, workspaceId, store: new KeyStore(database.kysely) };
  };

  test(`numbers are read as they were written, including the largest, on ${which}`, async () => {
    const { db, workspaceId, store } = await scene();
    const expiresAt = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const key = newKey({ workspaceId, expiresAt });
    await insertKey(db, key, null, 10, () => 1_000_000_000);
    const row = await store.find(workspaceId, key.id);
    assert.deepEqual(
      [row?.expires_at, row?.created_at, row?.rate_limit, row?.revoked_at],
      [expiresAt, start, 1_000_000_000, null],
    );
  });

  test(`only active keys count toward the limit, on ${which}`, async () => {
    const { database, db, workspaceId } = await scene();
    const keys = [
      newKey({ workspaceId }),
      newKey({ workspaceId }),
      newKey({ workspaceId, expiresAt: start + 5 }),
    ];
    for (const key of keys)
      assert.deepEqual(await insert(db, key, null, 3), { outcome: 'created', rateLimit: null });
    assert.deepEqual(await insert(db, newKey({ workspaceId }), null, 3), { outcome: 'full' });
    const revocation = { revoked_at: start, revoked_by: 'usr_1' };
    await database.kysely
      .updateTable('api_key')
      .set(revocation)
      .where('id', '=', keys[0]?.id ?? '')
      .execute();
    assert.deepEqual(await insert(db, newKey({ workspaceId }), null, 3), {
      outcome: 'created',
      rateLimit: null,
    });
    const later = newKey({ workspaceId, createdAt: start + 5 });
    assert.deepEqual(await insert(db, later, null, 3), { outcome: 'created', rateLimit: null });
    const filter = { status: 'all', now: start + 5 } as const;
    const counts = await new KeyListReader(db).count(workspaceId, filter);
    assert.deepEqual(counts, { active: 3, revoked: 1, expired: 1, all: 5 });
  });

  test(`an Idempotency-Key belongs to one workspace and expires after a day, on ${which}`, async () => {
    const [{ db, workspaceId }, other] = [await scene(), await scene()];
    const token = randomBytes(32);
    const first = newKey({ workspaceId });
    await insert(db, first, token);
    const replayed = { outcome: 'replayed', keyId: first.id };
    assert.deepEqual(await insert(db, newKey({ workspaceId, createdAt: start + day }), token), replayed);
    const elsewhere = newKey({ workspaceId: other.workspaceId });
    assert.deepEqual(await insert(db, elsewhere, token), { outcome: 'created', rateLimit: null });
    const next = newKey({ workspaceId, createdAt: start + day + 1 });
    assert.deepEqual(await insert(db, next, token), { outcome: 'created', rateLimit: null });
    assert.deepEqual(await insert(db, newKey({ workspaceId, createdAt: start + day + 2 }), token), {
      outcome: 'replayed',
      keyId: next.id,
    });
  });

  if (which === 'sqlite') continue;

  test(`a key that is being revoked cannot create or change other keys, on ${which}`, async () => {
    const { database, db, workspaceId } = await scene();
    assert.ok(database.kind === 'postgres');
    const [creator, changed] = [newKey({ workspaceId }), newKey({ workspaceId })];
    await insert(db, creator);
    await insert(db, changed);
    const { id: createdBy } = creator;
    const child = newKey({ workspaceId, createdBy, createdByKey: true });
    const session = await database.pool.connect();
    try {
      await session.query('BEGIN');
      await session.query('UPDATE api_key SET revoked_at = 1 WHERE id = $1', [createdBy]);
      const created = insert(db, child);
      const target = { workspaceId, id: changed.id, byKey: createdBy };
      const renamed = db
        .transaction()
        .execute((transaction) => updateKey(transaction, target, { name: 'x' }, () => undefined));
      await whenWaiting(database, [created, renamed]);
      await session.query('COMMIT');
      assert.deepEqual(
        [await created, await renamed],
        [{ outcome: 'creator revoked' }, { outcome: 'caller revoked' }],
      );
    } finally {
      session.release();
    }
  });
}
