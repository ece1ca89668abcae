/** Keys that are idle for as long as the policy of their workspace permits are disabled, after two warnings. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { newId } from '../ids.ts';
import { Pacer } from '../usage/pacer.ts';
import { IdlePolicy } from './idle-policy.ts';

/** Epoch ms: in the past for the clock of the database. */
const start = 1_700_000_000_000;

const quiet = {
  paused: (nodes: readonly string[]) => assert.fail(`paused by ${nodes.join()}`),
  pacer: new Pacer(async () => undefined),
  failed: (error: unknown) => assert.fail(String(error)),
  reset: () => undefined,
};

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /**
   * A workspace with a policy of so many days, and a clock. All uses are known since a year ago.
   *
   * @param nodes how many look at the same time
   */
  const setUp = async ({ days = 30, nodes = 1 }: { days?: number | null; nodes?: number } = {}) => {
    const { database } = await opened;
    const db = database.kysely;
    const clock = { now: start };
    const workspaceId = newId('ws_', clock.now);
    // The workspaces of earlier tests.
    await db.updateTable('workspace').set({ max_key_idle: null }).execute();
    await db
      .insertInto('workspace')
      .values({ id: workspaceId, name: 'x', max_key_idle: days, created_at: 1 })
      .execute();
    const known = start - 365 * day;
    await db
      .updateTable('usage_history')
      .set({ complete_since: known, watched_since: known, watched_until: start })
      .execute();
    const add = async (name: string, age: number, used: number | null = null) => {
      const key = newKey({ workspaceId, name, createdAt: start - age * day });
      await insertNewKey(db, key);
      if (used !== null) await use(key.id, used);
      return key.id;
    };
    /** Records a use so many days ago. */
    const use = async (id: string, ago: number) => {
      await db
        .updateTable('key_use')
        .set({ used_at: clock.now - ago * day })
        .where('key_id', '=', id)
        .execute();
    };
    /** The keys with a use now that is not written yet. */
    const unwritten = new Set<string>();
    const look = async () => {
      const policies = Array.from(
        { length: nodes },
        () =>
          new IdlePolicy({
            db,
            propagation: propagationOf(database),
            lastOpenUse: (keyId) => (unwritten.has(keyId) ? clock.now : undefined),
            now: () => clock.now,
            ...quiet,
          }),
      );
      await Promise.all(policies.map((policy) => policy.apply()));
    };
    /** Lets the nodes run for so many days. They look once a day, and at the end. */
    const run = async (passed: number) => {
      const end = clock.now + passed * day;
      for (; clock.now < end; clock.now += day) await look();
      clock.now = end;
      await look();
    };
    const isDisabled = async (id: string) => {
      const row = await db
        .selectFrom('api_key')
        .select('disabled_at')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return row.disabled_at !== null;
    };
    /** The events so far: what happened to which key, and on which day. */
    const events = async () => {
      const rows = await db
        .selectFrom('audit_event')
        .selectAll()
        .where('chain', '=', workspaceId)
        .orderBy('id')
        .execute();
      return rows.map(({ action, target_name, at }) => `${action} ${target_name} ${(at - start) / day}`);
    };
    return { database, db, clock, workspaceId, add, use, unwritten, look, run, isDisabled, events };
  };

  test(`an idle key is disabled after two warnings, each once, on ${which}`, async () => {
    const { db, workspaceId, add, run, isDisabled, events } = await setUp({ nodes: 2 });
    const idle = await add('idle', 100, 0);
    const fresh = await add('fresh', 0);
    await add('young', -20);
    await run(29.75);
    assert.deepEqual((await events()).toSorted(), [
      'key.policy_warned fresh 16',
      'key.policy_warned fresh 27',
      'key.policy_warned idle 16',
      'key.policy_warned idle 27',
    ]);
    assert.ok(!(await isDisabled(idle)) && !(await isDisabled(fresh)));
    await run(0.25);
    assert.ok(
      (await isDisabled(idle)) && (await isDisabled(fresh)),
      'one that was never used counts from its creation',
    );
    await run(3);
    const rows = await db
      .selectFrom('audit_event')
      .selectAll()
      .where('chain', '=', workspaceId)
      .orderBy('id')
      .execute();
    const ofIdle = rows.filter(({ target_id }) => target_id === idle);
    assert.deepEqual(
      ofIdle.map(({ action, actor_kind, changes }) => [action, actor_kind, changes]),
      [
        ['key.policy_warned', 'system', null],
        ['key.policy_warned', 'system', null],
        ['key.updated', 'system', '{"disabled":{"from":false,"to":true}}'],
      ],
    );
    const policy = { policy: 'maxKeyIdleDays', days: 30, idleSince: new Date(start).toISOString() };
    const disablesAt = new Date(start + 30 * day).toISOString();
    assert.deepEqual(
      ofIdle.map(({ details }) => JSON.parse(details ?? '')),
      [{ ...policy, warning: 1, disablesAt }, { ...policy, warning: 2, disablesAt }, policy],
    );
    assert.equal((await events()).length, 6, 'once, whatever the number of nodes');
    assert.deepEqual(await db.selectFrom('idle_warning').select('key_id').execute(), []);
  });

  test(`a use after a warning resets the idle time, even if it is not written yet, on ${which}`, async () => {
    const { add, use, unwritten, run, isDisabled, events } = await setUp();
    const id = await add('used', 100, 20);
    await run(12);
    await use(id, 0);
    await run(29);
    assert.deepEqual(
      await events(),
      [0, 11, 28, 39].map((at) => `key.policy_warned used ${at}`),
    );
    unwritten.add(id);
    await run(3);
    assert.ok(!(await isDisabled(id)));
    unwritten.clear();
    await run(0);
    assert.ok(await isDisabled(id), 'the test would notice that it was disabled');
  });

  test(`a key that was idle for long when the policy is set gets both warnings, on ${which}`, async () => {
    const { db, workspaceId, add, run, isDisabled, events } = await setUp({ days: null });
    const id = await add('old', 300);
    await run(1);
    assert.deepEqual(await events(), []);
    const set = (max_key_idle: number | null) =>
      db.updateTable('workspace').set({ max_key_idle }).where('id', '=', workspaceId).execute();
    await set(90);
    await run(13);
    assert.deepEqual(await events(), ['key.policy_warned old 1', 'key.policy_warned old 12']);
    // Without the policy, and with another one, the warnings are void.
    await set(null);
    await run(2);
    await set(91);
    await run(13.75);
    assert.ok(!(await isDisabled(id)));
    assert.deepEqual((await events()).slice(2), ['key.policy_warned old 16', 'key.policy_warned old 27']);
    await run(0.25);
    assert.ok(await isDisabled(id));
  });

  test(`a key that was enabled again is idle since then, on ${which}`, async () => {
    const { db, clock, add, run, isDisabled } = await setUp();
    const id = await add('enabled', 100, 100);
    await run(14);
    assert.ok(await isDisabled(id));
    await db
      .updateTable('api_key')
      .set({ disabled_at: null, resumed_at: clock.now })
      .where('id', '=', id)
      .execute();
    await run(29.75);
    assert.ok(!(await isDisabled(id)));
    await run(0.25);
    assert.ok(await isDisabled(id));
  });

  test(`time in which no server ran, before a restore, or after a step of the clock does not count, on ${which}`, async () => {
    const { db, clock, add, look, run, isDisabled, events } = await setUp();
    const id = await add('idle', 100, 1);
    await run(28);
    assert.equal((await events()).length, 2);
    clock.now += 40 * day;
    await run(29);
    assert.ok(!(await isDisabled(id)), 'no server ran for 40 days');
    clock.now += 400 * day;
    await look();
    clock.now -= 400 * day;
    await run(29);
    assert.ok(!(await isDisabled(id)), 'the clock was wrong by 400 days');
    await db.updateTable('usage_history').set({ complete_since: clock.now }).execute();
    await run(29);
    assert.ok(!(await isDisabled(id)), 'the database was restored');
    // A restart, or a night without a server.
    clock.now += 0.9 * day;
    await look();
    await run(0.25);
    assert.ok(await isDisabled(id));
  });

  test(`keys that are not accepted, and those of workspaces without the policy, get no warnings, on ${which}`, async () => {
    const { db, add, run, events } = await setUp();
    const [revoked, disabled, expired] = [await add('a', 100), await add('b', 100), await add('c', 100)];
    const change = (id: string, row: object) =>
      db.updateTable('api_key').set(row).where('id', '=', id).execute();
    await change(revoked, { revoked_at: 1, revoked_by: 'usr_1' });
    await change(disabled, { disabled_at: 1 });
    await change(expired, { expires_at: start - 1 });
    const other = newId('ws_', start);
    await db.insertInto('workspace').values({ id: other, name: 'y', created_at: 1 }).execute();
    await insertNewKey(db, newKey({ workspaceId: other, name: 'other', createdAt: 1 }));
    await run(31);
    assert.deepEqual(await events(), []);
    assert.deepEqual(
      await db.selectFrom('audit_event').select('id').where('chain', '=', other).execute(),
      [],
    );
  });

  test(`a change after a key was found idle is respected, on ${which}`, async () => {
    const { database, db, clock, workspaceId, add, use, isDisabled, events } = await setUp();
    const [used, kept] = [await add('used', 100), await add('kept', 100)];
    const ended = {
      idle_since: start - 100 * day,
      days: 30,
      first_at: start - 14 * day,
      last_at: start - 3 * day,
    };
    for (const key_id of [used, kept])
      await db
        .insertInto('idle_warning')
        .values({ key_id, ...ended })
        .execute();
    /** Looks once; `meanwhile` runs between the search and the command. */
    const look = (meanwhile: () => Promise<unknown>) =>
      new IdlePolicy({
        db,
        propagation: {
          commit: async (work) => {
            await meanwhile();
            return propagationOf(database).commit(work);
          },
        },
        lastOpenUse: () => undefined,
        now: () => clock.now,
        ...quiet,
      }).apply();
    const set = (max_key_idle: number | null) =>
      db.updateTable('workspace').set({ max_key_idle }).where('id', '=', workspaceId).execute();
    await look(() => set(null));
    assert.deepEqual(await events(), [], 'the policy was turned off');
    await set(30);
    for (const key_id of [used, kept])
      await db
        .insertInto('idle_warning')
        .values({ key_id, ...ended })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    await look(() => use(used, 0));
    assert.deepEqual([await isDisabled(used), await isDisabled(kept)], [false, true]);
  });
}
