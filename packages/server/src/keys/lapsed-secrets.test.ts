/** Secrets whose grace period has ended are retired once, by whichever node finds them first. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { insertNewKeys, insertSecretsOfKeys, newKey } from '../../../../test/support/new-key.ts';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { newId } from '../ids.ts';
import { LapsedSecrets } from './lapsed-secrets.ts';

/** Epoch ms: in the past for the clock of the database. */
const now = 1_700_000_000_000;

for (const which of bothDatabases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** Keys with an older secret that ends at a time, and a newer one. */
  const setUp = async (ends: readonly (number | null)[]) => {
    const { database } = await opened;
    const db = database.kysely;
    const workspaceId = newId('ws_', now);
    await db.insertInto('workspace').values({ id: workspaceId, name: 'x', created_at: 1 }).execute();
    const keys = ends.map((_end, i) => newKey({ workspaceId, name: `key ${i}`, createdAt: now - 100_000 }));
    // In one transaction, because each commit waits for the disk.
    await db.transaction().execute(async (together) => {
      await insertNewKeys(together, keys);
      await insertSecretsOfKeys(
        together,
        keys.map(({ id }) => ({ id, secret: newKey().secret, createdAt: now - 50_000 })),
      );
      for (const [i, key] of keys.entries()) {
        await together
          .updateTable('api_key_secret')
          .set({ retires_at: ends[i] ?? null })
          .where('hash', '=', key.secret.hash)
          .execute();
      }
    });
    const journal: Uint8Array[] = [];
    const propagation = propagationOf(database, (hashes) => journal.push(...hashes));
    const retiredAt = async () => {
      const rows = await db
        .selectFrom('api_key_secret')
        .select(['key_id', 'retired_at', 'created_at'])
        .where(
          'key_id',
          'in',
          keys.map(({ id }) => id),
        )
        .execute();
      assert.ok(rows.every((row) => row.created_at < now - 50_000 || row.retired_at === null));
      const older = rows.filter((row) => row.created_at < now - 50_000);
      return keys.map(({ id }) => older.find((row) => row.key_id === id)?.retired_at ?? null);
    };
    const events = () =>
      db
        .selectFrom('audit_event')
        .selectAll()
        .where('chain', '=', workspaceId)
        .orderBy('target_name')
        .execute();
    return { database, db, keys, journal, propagation, retiredAt, events };
  };

  test(`a secret is retired with the time at which it lapsed, on ${which}`, async () => {
    const { keys, journal, propagation, retiredAt, events } = await setUp([now - 5, now, now + 1, null]);
    const [lapsed, justLapsed] = keys;
    await new LapsedSecrets(propagation, () => now).retire();
    assert.deepEqual(await retiredAt(), [now - 5, now, null, null]);
    assert.deepEqual(
      journal.map((hash) => Buffer.from(hash).toString('hex')).sort(),
      [lapsed, justLapsed].map((key) => Buffer.from(key?.secret.hash ?? []).toString('hex')).sort(),
    );
    const details = (id: string | undefined) => JSON.stringify({ secretId: id, reason: 'lapsed' });
    assert.deepEqual(
      (await events()).map((event) => [
        event.action,
        event.actor_kind,
        event.target_name,
        event.details,
        event.at,
      ]),
      [
        ['key.secret_retired', 'system', 'key 0', details(lapsed?.secret.id), now],
        ['key.secret_retired', 'system', 'key 1', details(justLapsed?.secret.id), now],
      ],
    );
    await new LapsedSecrets(propagation, () => now).retire();
    assert.deepEqual([journal.length, (await events()).length], [2, 2], 'only once');
  });

  test(`many secrets are retired in several transactions, by several nodes, on ${which}`, async () => {
    // More than two full transactions.
    const ends = Array.from({ length: 201 }, (_, i) => now - 1000 + i);
    const { journal, propagation, retiredAt, events } = await setUp(ends);
    await Promise.all([1, 2].map(() => new LapsedSecrets(propagation, () => now).retire()));
    if (which === 'sqlite') assert.deepEqual(await retiredAt(), ends, 'by one batch more than nodes');
    // On PostgreSQL, a node skips what another one retires at that moment.
    await new LapsedSecrets(propagation, () => now).retire();
    assert.deepEqual(await retiredAt(), ends);
    assert.deepEqual([journal.length, (await events()).length], [201, 201]);
  });

  if (which === 'sqlite') continue;

  test(`a key that a command has locked is skipped, and retired later, on ${which}`, async () => {
    const { database, keys, propagation, retiredAt } = await setUp([now - 5, now - 4]);
    assert.ok(database.kind === 'postgres');
    const session = await database.pool.connect();
    try {
      await session.query('BEGIN');
      await session.query('SELECT 1 FROM api_key WHERE id = $1 FOR NO KEY UPDATE', [keys[0]?.id]);
      await new LapsedSecrets(propagation, () => now).retire();
      assert.deepEqual(await retiredAt(), [null, now - 4]);
      await session.query('COMMIT');
    } finally {
      session.release();
    }
    await new LapsedSecrets(propagation, () => now).retire();
    assert.deepEqual(await retiredAt(), [now - 5, now - 4]);
  });

  test(`a node whose clock is ahead of the database retires nothing early, on ${which}`, async () => {
    const { db, propagation, retiredAt } = await setUp([Date.now() + 3_600_000]);
    await new LapsedSecrets(propagation, () => Date.now() + 7_200_000).retire();
    assert.deepEqual(await retiredAt(), [null]);
    await sql`UPDATE api_key_secret SET retires_at = ${Date.now() - 1} WHERE retires_at > ${now}`.execute(db);
    await new LapsedSecrets(propagation, () => now).retire();
    assert.deepEqual(await retiredAt(), [null], 'nor one whose clock is behind');
  });
}
