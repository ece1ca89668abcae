/** Reminders of keys that expire soon. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { msPerDay } from '@soku/contract/instant';
import { sql } from 'kysely';
import { hour, MailWorld, minute } from '../../../../test/support/mail-world.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { SmtpSink } from '../../../../test/support/smtp.ts';
import { expiringKeys, queueReminders } from './reminders.ts';

/** What differs from an active key. Times are epoch ms, the age is in ms. */
type Changed = { age?: number; disabled_at?: number; revoked_at?: number; revoked_by?: string };

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  const start = async (t: { after: (stop: () => Promise<void>) => void }) => {
    const { kysely } = (await opened).database;
    await kysely.deleteFrom('mail').execute();
    await kysely.updateTable('api_key').set({ expires_at: null }).where('revoked_at', 'is', null).execute();
    const smtp = await SmtpSink.start();
    t.after(() => smtp.stop());
    const world = new MailWorld(kysely, smtp);
    const { id: workspaceId } = await world.addWorkspace('ada');
    let number = 0;
    /** Adds a key that was created `age` ms before it expires. */
    const addKey = async (name: string, left: number, { age = 90 * msPerDay, ...more }: Changed = {}) => {
      number += 1;
      const id = `key_${workspaceId}_${number}`;
      const row = {
        id,
        workspace_id: workspaceId,
        created_by: 'usr_ada',
        name,
        name_folded: name,
        scopes: '',
      };
      const expires_at = world.now + left;
      await kysely
        .insertInto('api_key')
        .values({
          ...row,
          expires_at,
          created_at: expires_at - age,
          rate_limit: null,
          revoked_at: null,
          revoked_by: null,
          ...more,
        })
        .execute();
      return id;
    };
    /** Two nodes look at the same time. @returns the subjects of the new emails */
    const remind = async () => {
      await Promise.all([queueReminders(kysely, world.now), queueReminders(kysely, world.now)]);
      const before = smtp.accepted.length;
      world.now += minute;
      await world.deliver();
      return smtp.accepted.slice(before).map(({ subject }) => subject);
    };
    return { world, smtp, addKey, remind };
  };

  test(`a key that expires is announced 14, 3 and 1 days before, once each, on ${which}`, async (t) => {
    const { world, smtp, addKey, remind } = await start(t);
    const id = await addKey('Billing', 14 * msPerDay + hour);
    assert.deepEqual(await remind(), []);
    const soon = 'Key expires soon: Billing';
    for (const passed of [hour, 11 * msPerDay, 2 * msPerDay]) {
      world.now += passed;
      assert.deepEqual(await remind(), [soon]);
      assert.deepEqual(await remind(), []);
    }
    assert.match(smtp.accepted[0]?.text ?? '', /- Billing, expires 14 Dec 2026, 13:00 UTC\n/);
    assert.doesNotMatch(smtp.accepted[0]?.text ?? '', /^(By|Time|Client):/m);
    await world.db
      .updateTable('api_key')
      .set({ expires_at: world.now + 2 * msPerDay })
      .where('id', '=', id)
      .execute();
    assert.deepEqual(
      await remind(),
      [soon],
      'another date is announced anew, and only with the last reminder',
    );
    assert.deepEqual(await remind(), []);
    world.now += 3 * msPerDay;
    assert.deepEqual(await remind(), []);
  });

  test(`keys that are due together share an email, and others cause none, on ${which}`, async (t) => {
    const { addKey, remind, smtp } = await start(t);
    await addKey('Last day', 5 * hour);
    await addKey('Two weeks', 13 * msPerDay);
    await addKey('Expired', -hour);
    await addKey('Later', 15 * msPerDay);
    await addKey('Created for a day', 23 * hour, { age: msPerDay });
    await addKey('Disabled', hour, { disabled_at: 1 });
    await addKey('Revoked', hour, { revoked_at: 1, revoked_by: 'usr_ada' });
    assert.deepEqual(await remind(), ['2 keys expire soon']);
    assert.match(smtp.accepted[0]?.text ?? '', /^- Last day,.*\n.*\n- Two weeks,/m);
  });

  test(`many keys of a workspace share an email, and other work runs while they are found, on ${which}`, async (t) => {
    const { world, addKey, remind } = await start(t);
    for (let i = 0; i < 450; i++) await addKey(`Key ${i}`, 10 * msPerDay);
    let [turns, isDone] = [0, false];
    const counted = (async () => {
      for (; !isDone; turns++) await turn();
    })();
    await queueReminders(world.db, world.now);
    isDone = true;
    await counted;
    assert.ok(turns >= 3, `${turns} turns`);
    assert.deepEqual(await remind(), ['450 keys expire soon']);
  });
}

test('expiring keys are read from the index, in its order', async () => {
  const { database, close } = await openTestDatabase('sqlite');
  after(close);
  const query = expiringKeys({ expires_at: 1, id: 'key_1' }, 2);
  const { rows } = await sql<{ detail: string }>`EXPLAIN QUERY PLAN ${query}`.execute(database.kysely);
  const [walk, ...others] = rows.map(({ detail }) => detail);
  assert.match(
    walk ?? '',
    /^SEARCH k USING INDEX api_key_expiring \(\(expires_at,id\)>\(\?,\?\) AND expires_at<\?\)$/,
  );
  assert.doesNotMatch(others.join('\n'), /SCAN|TEMP B-TREE/);
});
