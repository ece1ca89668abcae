import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { firstCreation, insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { bothDatabases, openTestDatabase, waitUntilBlocked } from '../../../../test/support/open-database.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import { KeyListReader } from './list-reader.ts';
import { KeyStore } from './store.ts';
import { insertSecret, type NewKey, policyOfRow, updateKey } from './writes.ts';

const start = firstCreation;
const emptyRow = {
  ...{ scopes: '', expires_at: null, allowed_addresses: '', environment: 'live' },
  ...{ external_id: null, rate_limit: null },
};
const day = 24 * 60 * 60 * 1000;
const isRevokedCaller = (error: unknown) =>
  error instanceof RequestError && error.problem.code === 'revoked_key';

for (const which of bothDatabases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** Creates a separate workspace for each test. */
  const setUp = async () => {
    const { database } = await opened;
    const workspaceId = newId('ws_', start);
    await database.kysely
      .insertInto('workspace')
      .values({ id: workspaceId, name: 'x', created_at: 1 })
      .execute();
    return { database, db: database.kysely, workspaceId, store: new KeyStore(database.kysely) };
  };

  test(`numbers are read as they were written, including the largest, on ${which}`, async () => {
    const { db, workspaceId, store } = await setUp();
    const expiresAt = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const key = newKey({ workspaceId });
    await insertNewKey(db, key, { expiresAt, rateLimit: 1_000_000_000 });
    const row = await store.find(workspaceId, key.id);
    assert.deepEqual(
      [row?.expires_at, row?.created_at, row?.rate_limit, row?.revoked_at],
      [expiresAt, start, 1_000_000_000, null],
    );
  });

  test(`only active keys count toward the limit, on ${which}`, async () => {
    const { database, db, workspaceId } = await setUp();
    const keys = [newKey({ workspaceId }), newKey({ workspaceId }), newKey({ workspaceId })];
    const insert = async (key: NewKey, expiresAt: number | null = null) =>
      (await insertNewKey(db, key, { expiresAt, most: 3 })).outcome;
    for (const [i, key] of keys.entries())
      assert.equal(await insert(key, i === 2 ? start + 5 : null), 'created');
    assert.equal(await insert(newKey({ workspaceId })), 'full');
    const revocation = { revoked_at: start, revoked_by: 'usr_1' };
    await database.kysely
      .updateTable('api_key')
      .set(revocation)
      .where('id', '=', keys[0]?.id ?? '')
      .execute();
    assert.equal(await insert(newKey({ workspaceId })), 'created');
    assert.equal(await insert(newKey({ workspaceId, createdAt: start + 5 })), 'created');
    const filter = { status: 'all', now: start + 5 } as const;
    const counts = await new KeyListReader(db).count(workspaceId, filter);
    assert.deepEqual(counts, { active: 3, disabled: 0, revoked: 1, expired: 1, all: 5 });
  });

  test(`an Idempotency-Key belongs to one workspace and expires after a day, on ${which}`, async () => {
    const [{ db, workspaceId }, other] = [await setUp(), await setUp()];
    const token = randomBytes(32);
    const first = newKey({ workspaceId });
    const insert = (key: NewKey) => insertNewKey(db, key, { token });
    await insert(first);
    const replayed = { outcome: 'replayed', keyId: first.id };
    assert.deepEqual(await insert(newKey({ workspaceId, createdAt: start + day })), replayed);
    assert.equal((await insert(newKey({ workspaceId: other.workspaceId }))).outcome, 'created');
    const next = newKey({ workspaceId, createdAt: start + day + 1 });
    assert.equal((await insert(next)).outcome, 'created');
    assert.deepEqual(await insert(newKey({ workspaceId, createdAt: start + day + 2 })), {
      outcome: 'replayed',
      keyId: next.id,
    });
  });

  test(`a secret that was retired cannot create or change keys, on ${which}`, async () => {
    const { db, workspaceId } = await setUp();
    const [creator, changed] = [newKey({ workspaceId }), newKey({ workspaceId })];
    await insertNewKey(db, creator, { scopes: ['keys:write'] });
    await insertNewKey(db, changed);
    const retired = newKey();
    await insertSecret(db, creator.id, retired.secret, start + 1);
    await db
      .updateTable('api_key_secret')
      .set({ retired_at: start + 2 })
      .where('hash', '=', retired.secret.hash)
      .execute();
    const by = (secretHash: Uint8Array) => {
      const callingKey = { id: creator.id, secretHash, address: undefined };
      const child = newKey({ workspaceId, createdBy: creator.id, callingKey });
      const target = { workspaceId, id: changed.id, locksWorkspace: false, callingKey, now: start };
      const unchanged = {
        policy: policyOfRow(emptyRow),
        name: 'x',
        metadata: null,
        disabledAt: null,
        resumedAt: null,
      };
      return [
        insertNewKey(db, child),
        db.transaction().execute((transaction) => updateKey(transaction, target, async () => unchanged)),
      ];
    };
    await Promise.all(by(retired.secret.hash).map((call) => assert.rejects(call, isRevokedCaller)));
    const [created, updated] = await Promise.all(by(creator.secret.hash));
    assert.ok(created && updated);
  });

  if (which === 'sqlite') continue;

  test(`a key that is being revoked cannot create or change other keys, on ${which}`, async () => {
    const { database, db, workspaceId } = await setUp();
    assert.ok(database.kind === 'postgres');
    const [creator, changed] = [newKey({ workspaceId }), newKey({ workspaceId })];
    await insertNewKey(db, creator);
    await insertNewKey(db, changed);
    const { id: createdBy } = creator;
    const callingKey = { id: createdBy, secretHash: creator.secret.hash, address: undefined };
    const child = newKey({ workspaceId, createdBy, callingKey });
    const session = await database.pool.connect();
    try {
      await session.query('BEGIN');
      await session.query('UPDATE api_key SET revoked_at = 1 WHERE id = $1', [createdBy]);
      const created = insertNewKey(db, child);
      const target = { workspaceId, id: changed.id, locksWorkspace: false, callingKey, now: start };
      const renamed = db
        .transaction()
        .execute((transaction) => updateKey(transaction, target, () => assert.fail('the caller is revoked')));
      await waitUntilBlocked(database, [created, renamed]);
      const rejected = [created, renamed].map((call) => assert.rejects(call, isRevokedCaller));
      await session.query('COMMIT');
      await Promise.all(rejected);
    } finally {
      session.release();
    }
  });
}
