/** Secrets that are older than the policy of their workspace cause one warning each. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { newId } from '../ids.ts';
import { Pacer } from '../usage/pacer.ts';
import { AgePolicy } from './age-policy.ts';

/** Epoch ms. */
const start = 1_700_000_000_000;

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  /** A workspace with a maximum age of 30 days, and a clock. */
  const setUp = async () => {
    const { database } = await opened;
    const db = database.kysely;
    const clock = { now: start };
    const workspaceId = newId('ws_', clock.now);
    await db
      .insertInto('workspace')
      .values({ id: workspaceId, name: 'x', max_secret_age: 30, created_at: 1 })
      .execute();
    /** Adds a key with a secret of so many days. */
    const add = async (name: string, age: number) => {
      const key = newKey({ workspaceId, name, createdAt: Math.round(start - age * day) });
      await insertNewKey(db, key);
      return key.id;
    };
    const failed = (error: unknown) => assert.fail(String(error));
    const policyOf = () =>
      new AgePolicy({
        ...{ db, propagation: propagationOf(database), now: () => clock.now, failed },
        pacer: new Pacer(async () => undefined),
      });
    /** Two nodes look at the same time. @returns the keys that they warned about */
    const look = async () => {
      const before = new Set((await events()).map(({ id }) => id));
      await Promise.all([policyOf().apply(), policyOf().apply()]);
      return (await events())
        .filter(({ id }) => !before.has(id))
        .map(({ target_name }) => target_name)
        .sort();
    };
    const events = () =>
      db
        .selectFrom('audit_event')
        .selectAll()
        .where('chain', '=', workspaceId)
        .where('action', '=', 'key.policy_warned')
        .orderBy('id')
        .execute();
    const setDays = (days: number | null) =>
      db.updateTable('workspace').set({ max_secret_age: days }).where('id', '=', workspaceId).execute();
    return { db, clock, workspaceId, add, look, events, setDays };
  };

  test(`a key is warned about once, when its secret becomes older than the policy, on ${which}`, async () => {
    const { clock, add, look, events } = await setUp();
    await add('old', 31);
    await add('due', 29);
    assert.deepEqual(await look(), ['old']);
    assert.deepEqual(await look(), []);
    const [warning] = await events();
    assert.deepEqual([warning?.actor_kind, warning?.at], ['system', start]);
    assert.deepEqual(JSON.parse(warning?.details ?? ''), {
      policy: 'maxSecretAgeDays',
      days: 30,
      secretCreatedAt: new Date(start - 31 * day).toISOString(),
    });
    clock.now += day - 1;
    assert.deepEqual(await look(), []);
    clock.now += 1;
    assert.deepEqual(await look(), ['due']);
    clock.now += 300 * day;
    assert.deepEqual(await look(), []);
  });

  test(`a rotated key is warned about again when its new secret is old, on ${which}`, async () => {
    const { db, clock, add, look } = await setUp();
    const id = await add('rotated', 31);
    assert.deepEqual(await look(), ['rotated']);
    const secret = await db
      .selectFrom('api_key_secret')
      .selectAll()
      .where('key_id', '=', id)
      .executeTakeFirstOrThrow();
    await db
      .insertInto('api_key_secret')
      .values({ ...secret, id: newId('sec_', start), hash: randomBytes(32), created_at: start })
      .execute();
    clock.now += 29 * day;
    assert.deepEqual(await look(), []);
    clock.now += day;
    assert.deepEqual(await look(), ['rotated']);
    assert.deepEqual(await look(), []);
  });

  test(`keys that are not accepted, and workspaces without the policy, cause no warning, on ${which}`, async () => {
    const { db, add, look, setDays } = await setUp();
    const change = (id: string, fields: { disabled_at?: number | null; expires_at?: number }) =>
      db.updateTable('api_key').set(fields).where('id', '=', id).execute();
    const disabled = await add('disabled', 50);
    await change(disabled, { disabled_at: start });
    await change(await add('expired', 50), { expires_at: start });
    await add('accepted', 50);
    await setDays(null);
    assert.deepEqual(await look(), []);
    await setDays(30);
    assert.deepEqual(await look(), ['accepted']);
    await change(disabled, { disabled_at: null });
    assert.deepEqual(await look(), ['disabled']);
  });

  test(`a fast clock causes no early warning with a database that has its own, on ${which}`, async () => {
    const { clock, add, look } = await setUp();
    await add('key', (start - Date.now()) / day);
    clock.now = Date.now() + 40 * day;
    assert.deepEqual(await look(), which === 'postgres' ? [] : ['key']);
  });

  test(`only a larger maximum age warns about the same secret again, on ${which}`, async () => {
    const { clock, add, look, setDays } = await setUp();
    await add('key', 50);
    assert.deepEqual(await look(), ['key']);
    for (const days of [20, null, 30, 90]) {
      await setDays(days);
      assert.deepEqual(await look(), [], `${days}`);
    }
    clock.now += 40 * day;
    assert.deepEqual(await look(), ['key']);
  });

  test(`hundreds of keys are warned about in several transactions, once each, on ${which}`, async () => {
    const { add, look } = await setUp();
    for (let i = 0; i < 250; i++) await add(`key ${i}`, 50);
    const found = await look();
    assert.deepEqual([found.length, new Set(found).size], [250, 250]);
    assert.deepEqual(await look(), []);
  });
}
