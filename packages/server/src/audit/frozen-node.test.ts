/** Which locks a node holds when it freezes in the middle of a command or of sealing. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { tryAdvisoryLock } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvent } from '../events/events.ts';
import { writeRevocation } from '../keys/revoke-writes.ts';
import { clusterPropagation } from '../propagation/cluster-propagation.ts';
import { sealEvents } from './sealer.ts';

const opened = openTestDatabase('postgres');
after(async () => (await opened).close());

const event = (id: string) =>
  ({
    chain: 'ws',
    at: 1,
    actor: systemActor,
    action: 'key.created',
    target: { kind: 'key', id, name: id },
  }) as const;

/** The database operations that create a key. */
async function create(db: Kysely<Tables>, id: string): Promise<void> {
  await insertNewKey(db, newKey({ id, workspaceId: 'ws', name: id, createdAt: 1 }));
  await appendEvent(db, event(id));
}

test('a revoke does not wait for a frozen command in its workspace, or for a frozen sealer', async () => {
  const { database } = await opened;
  assert.ok(database.kind === 'postgres');
  const { kysely } = database;
  await kysely.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();
  await create(kysely, 'key_1');
  const propagation = clusterPropagation(
    database,
    { settle: async () => ({ nodes: 1, waitedMs: 0 }) },
    { monotonic: () => 0, wall: () => 0 },
    { append: async () => undefined },
  );
  const frozen = Promise.withResolvers<void>();
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const command = kysely.transaction().execute(async (db) => {
    await create(db, 'key_2');
    begun[0].resolve();
    await frozen.promise;
  });
  const sealer = kysely.transaction().execute(async (db) => {
    assert.equal(await tryAdvisoryLock(db, 'sealer'), true);
    await sql`UPDATE audit_event SET sequence = 1 WHERE sequence IS NULL`.execute(db);
    begun[1].resolve();
    await frozen.promise;
    throw new Error('its connection is ended');
  });
  await Promise.all(begun.map(({ promise }) => promise));
  const revoked = await propagation.commit(async (db) => {
    const request = { workspaceId: 'ws', id: 'key_1', by: 'usr_1', at: 2, reason: null, descendants: false };
    const value = await writeRevocation(db, request);
    await appendEvent(db, { ...event('key_1'), action: 'key.revoked', at: 2 });
    return { value, changed: value && { kind: 'revoked', ids: value.journalKeyIds } };
  });
  assert.deepEqual(revoked.value?.revoked, [{ id: 'key_1', name: 'key_1' }]);
  // Another node does not wait either: it leaves sealing to the node that has the lock.
  await sealEvents(kysely);
  assert.deepEqual(await placesOf(kysely), [null, null]);
  frozen.resolve();
  await Promise.all([command, assert.rejects(sealer, /its connection/)]);
  await sealEvents(kysely);
  assert.deepEqual(await placesOf(kysely), [1, 2, 3]);
});

async function placesOf(db: Kysely<Tables>): Promise<(number | null)[]> {
  const rows = await db.selectFrom('audit_event').select('sequence').orderBy('sequence').execute();
  return rows.map(({ sequence }) => sequence);
}
