/** How the search for idle keys goes through many keys and workspaces, and what it sees while it does. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { insertNewKeys, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { newId } from '../ids.ts';
import { Pacer } from '../usage/pacer.ts';
import { IdlePolicy } from './idle-policy.ts';
import type { IdleTimeReset } from './uptime.ts';

/** Epoch ms: in the past for the clock of the database. */
const start = 1_700_000_000_000;

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** So many workspaces that disable keys after 30 days, each with so many keys that are older. */
  const setUp = async (workspaces: number, keys: number) => {
    const { database } = await opened;
    const db = database.kysely;
    const clock = { now: start };
    const known = start - 365 * day;
    await db
      .updateTable('usage_history')
      .set({ complete_since: known, watched_since: known, watched_until: start })
      .execute();
    const ids = Array.from({ length: workspaces }, (_, i) => newId('ws_', clock.now + i));
    const keyIds: string[] = [];
    await db.transaction().execute(async (together) => {
      // The workspaces of earlier tests.
      await together.updateTable('workspace').set({ max_key_idle: null }).execute();
      for (const id of ids) {
        await together
          .insertInto('workspace')
          .values({ id, name: 'x', max_key_idle: 30, created_at: 1 })
          .execute();
        const inserted = Array.from({ length: keys }, (_, i) =>
          newKey({ workspaceId: id, name: `key ${i}`, createdAt: start - 100 * day }),
        );
        if (keys > 0) await insertNewKeys(together, inserted);
        keyIds.push(...inserted.map((key) => key.id));
      }
    });
    const counts = { commits: 0, rests: 0 };
    const failures: string[] = [];
    const resets: IdleTimeReset[] = [];
    const options = {
      db,
      propagation: propagationOf(database),
      lastOpenUse: (_keyId: string): number | undefined => undefined,
      now: () => clock.now,
      pacer: new Pacer(async () => {
        counts.rests += 1;
      }),
      paused: (nodes: readonly string[]) => assert.fail(`paused by ${nodes.join()}`),
      failed: (_error: unknown, workspaceId: string) => failures.push(workspaceId),
      reset: (reset: IdleTimeReset) => resets.push(reset),
    };
    /** Looks once. `before` runs before each command, with its number. */
    const look = (
      changed: Partial<typeof options> = {},
      before: (command: number, policy: IdlePolicy) => unknown = () => undefined,
    ) => {
      const all = { ...options, ...changed };
      const commit: typeof all.propagation.commit = async (work) => {
        counts.commits += 1;
        await before(counts.commits, policy);
        return options.propagation.commit(work);
      };
      const policy = new IdlePolicy({ ...all, propagation: { commit } });
      return policy.apply();
    };
    /** Both warnings of all keys are over. */
    const endWarnings = async () => {
      const ended = { days: 30, first_at: start - 14 * day, last_at: start - 3 * day };
      const idle_since = start - 100 * day;
      await db
        .insertInto('idle_warning')
        .values(keyIds.map((key_id) => ({ key_id, idle_since, ...ended })))
        .execute();
    };
    const events = (chain: string) =>
      db.selectFrom('audit_event').selectAll().where('chain', '=', chain).orderBy('id').execute();
    const disabled = async () => {
      const rows = await db
        .selectFrom('api_key')
        .select(['id', 'disabled_at'])
        .where('id', 'in', keyIds)
        .where('disabled_at', 'is not', null)
        .execute();
      return rows;
    };
    return { db, clock, ids, keyIds, counts, failures, resets, look, endWarnings, events, disabled };
  };

  test(`many keys are handled in several transactions, with a pause after each, on ${which}`, async () => {
    const { ids, look, events, counts } = await setUp(1, 201);
    await look();
    assert.deepEqual(counts, { commits: 3, rests: 3 });
    assert.equal(new Set((await events(ids[0] ?? '')).map(({ target_id }) => target_id)).size, 201);
  });

  test(`other work runs between two workspaces without idle keys, on ${which}`, async () => {
    const { look } = await setUp(40, 0);
    let [turns, counting] = [0, true];
    const count = () => {
      turns += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    await look();
    counting = false;
    assert.ok(turns >= 40, `${turns} turns`);
  });

  test(`a use in memory keeps a key, whether it is written or made during the command, on ${which}`, async () => {
    const { clock, keyIds, look, endWarnings, disabled } = await setUp(1, 3);
    const [written, made, unused] = keyIds;
    await endWarnings();
    const calls = new Map<string, number>();
    await look({
      lastOpenUse: (keyId) => {
        const call = (calls.get(keyId) ?? 0) + 1;
        calls.set(keyId, call);
        const isKnown = (keyId === written && call === 1) || (keyId === made && call === 3);
        return isKnown ? clock.now : undefined;
      },
    });
    assert.deepEqual(
      (await disabled()).map(({ id }) => id),
      [unused],
    );
  });

  test(`events have the time of their transaction, not that of the start of the search, on ${which}`, async () => {
    const { clock, ids, look, endWarnings, events, disabled } = await setUp(1, 1);
    await endWarnings();
    await look({}, () => {
      clock.now += 60_000;
    });
    const [event] = await events(ids[0] ?? '');
    assert.equal(event?.at, start + 60_000);
    assert.equal((await disabled())[0]?.disabled_at, start + 60_000);
  });

  test(`the search continues after an error in one workspace, and ends after a database failure, on ${which}`, async () => {
    const { ids, look, events, failures } = await setUp(4, 1);
    const unavailable = (code: string) =>
      new DatabaseUnavailable(new Error(code), { code, rolledBack: true });
    await look({}, (command) => {
      if (command === 1) throw unavailable('55P03');
      if (command === 2) throw unavailable('57014');
      if (command === 3) throw new Error('x');
    });
    assert.deepEqual(failures, ids.slice(0, 3));
    assert.equal((await events(ids[3] ?? '')).length, 1);
    await assert.rejects(
      look({}, () => Promise.reject(unavailable('57P01'))),
      /57P01/,
    );
  });

  test(`a stop ends the search, and a failure after it is not reported, on ${which}`, async () => {
    const { look, counts, failures } = await setUp(2, 1);
    await look({}, (_command, policy) => {
      policy.stop();
      throw new Error('x');
    });
    assert.deepEqual([counts.commits, failures], [1, []]);
  });

  test(`obsolete warnings are deleted in batches, and others are kept, on ${which}`, async () => {
    const { db, keyIds, look, endWarnings } = await setUp(1, 501);
    await endWarnings();
    const [kept, ...others] = keyIds;
    await db.updateTable('idle_warning').set({ last_at: start }).execute();
    await db.updateTable('key_use').set({ used_at: start }).where('key_id', 'in', others).execute();
    await look();
    const left = await db.selectFrom('idle_warning').select('key_id').execute();
    assert.deepEqual(
      left.map(({ key_id }) => key_id),
      [kept],
    );
  });

  test(`a pause of the servers is reported with both of its ends, on ${which}`, async () => {
    const { clock, resets, look } = await setUp(1, 0);
    await look();
    assert.deepEqual(resets, []);
    clock.now += 2 * day;
    await look();
    await look();
    assert.deepEqual(resets, [{ watchedUntil: start, now: start + 2 * day }]);
  });
}
