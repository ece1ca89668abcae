/** When the grace period of older secrets starts if its start cannot be written at once. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { newId } from '../ids.ts';
import { GraceStarts } from './grace-starts.ts';
import { insertSecret } from './writes.ts';

/** Epoch ms. */
const now = 1_700_000_000_000;

for (const which of bothDatabases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`a use that follows before the first one is written does not move the start, on ${which}`, async () => {
    const { database } = await opened;
    const { kysely } = database;
    const workspaceId = newId('ws_', now);
    await kysely.insertInto('workspace').values({ id: workspaceId, name: 'x', created_at: 1 }).execute();
    const key = newKey({ workspaceId, name: 'key', createdAt: now - 100_000 });
    const { secret } = newKey();
    await insertNewKey(kysely, key);
    await insertSecret(kysely, key.id, secret, now - 50_000, 1000);

    const starts = new GraceStarts(propagationOf(database));
    const hash = Buffer.from(secret.hash).toString('latin1');
    starts.add({ keyId: key.id, hash, at: now });
    starts.add({ keyId: key.id, hash, at: now + 500 });
    await starts.write();

    const older = await kysely
      .selectFrom('api_key_secret')
      .select('retires_at')
      .where('hash', '=', key.secret.hash)
      .executeTakeFirstOrThrow();
    assert.equal(older.retires_at, now + 1000);
  });
}
