/** What a change of the settings does besides storing them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { systemActor } from '../events/actor.ts';
import { WorkspaceService } from './service.ts';

for (const which of ['sqlite', 'postgres'] as const)
  test(`a policy for idle keys that is turned off and on begins with the first warning, on ${which}`, async (t) => {
    const { database, close } = await openTestDatabase(which);
    t.after(close);
    const db = database.kysely;
    const keyOf = new Map<string, string>();
    for (const id of ['ws_1', 'ws_2']) {
      await db.insertInto('workspace').values({ id, name: id, max_key_idle: 30, created_at: 1 }).execute();
      const key = newKey({ workspaceId: id, name: 'x', createdAt: 1 });
      keyOf.set(id, key.id);
      await insertNewKey(db, key);
      await db
        .insertInto('idle_warning')
        .values({ key_id: key.id, idle_since: 1, days: 30, first_at: 2, last_at: 3 })
        .execute();
    }
    const service = new WorkspaceService(db, {
      keyRateLimit: 'off',
      propagation: propagationOf(database),
      now: () => 4,
    });
    const change = (input: Parameters<WorkspaceService['change']>[1]) =>
      service.change(
        { workspaceId: 'ws_1', actor: systemActor, scopes: [], environment: 'live', secretHash: null },
        input,
      );
    const warned = async () => {
      const rows = await db.selectFrom('idle_warning').select('key_id').orderBy('key_id').execute();
      return rows.map(({ key_id }) => key_id);
    };
    await change({ maxSecretAgeDays: 90 });
    await change({ maxKeyIdleDays: 30 });
    assert.equal((await warned()).length, 2);
    await change({ maxKeyIdleDays: null });
    await change({ maxKeyIdleDays: 30 });
    assert.deepEqual(await warned(), [keyOf.get('ws_2')]);
  });
