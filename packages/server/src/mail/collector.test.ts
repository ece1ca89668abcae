/** How the collector reads the audit log. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { MailWorld, minute } from '../../../../test/support/mail-world.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { sealEvents } from '../audit/sealer.ts';
import { appendEvents } from '../events/events.ts';
import { recentChains } from './collector.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  const start = async () => {
    const { kysely } = (await opened).database;
    for (const table of ['mail', 'audit_event', 'mail_cursor'] as const)
      await kysely.deleteFrom(table).execute();
    return new MailWorld(kysely);
  };

  test(`a round finds the chains of recent events, however many these are, on ${which}`, async () => {
    const world = await start();
    const [first, second, old] = [
      await world.addWorkspace('ada'),
      await world.addWorkspace('bob'),
      await world.addWorkspace('eve'),
    ];
    await appendEvents(world.db, [world.event(old.id, 'key.created', { at: world.now - minute })]);
    const many = Array.from({ length: 1000 }, () => world.event(first.id, 'key.updated'));
    await appendEvents(world.db, [...many, world.event(second.id, 'key.created', { at: world.now + 1 })]);
    await sealEvents(world.db);
    await world.collector.collectRecent();
    const owners = async () => (await world.mails()).map(({ user_id }) => user_id).sort();
    assert.deepEqual(await owners(), [second.users[0]?.id]);
    await world.collector.collectAll();
    assert.deepEqual(await owners(), [second.users[0]?.id, old.users[0]?.id].sort());
  });

  test(`events without a request are read page by page, and other work runs in between, on ${which}`, async () => {
    const world = await start();
    const { id } = await world.addWorkspace('ada');
    const system = { kind: 'system', id: 'system', name: 'Soku', address: null, userAgent: null } as const;
    const actor = { ...system, requestId: null };
    const events = Array.from({ length: 650 }, () => world.event(id, 'key.revoked', { actor }));
    await appendEvents(world.db, events);
    await sealEvents(world.db);
    let [turns, isDone] = [0, false];
    const counted = (async () => {
      for (; !isDone; turns++) await turn();
    })();
    await world.collector.collectAll();
    isDone = true;
    await counted;
    assert.ok(turns >= 4, `${turns} turns`);
    const counts = (await world.mails()).map(({ notice }) => JSON.parse(notice).count);
    assert.deepEqual(counts.sort(), [200, 200, 200, 50].sort(), 'one for each page of events');
  });
}

for (const analyzed of [false, true]) {
  test(`the query for recent chains reads only recent events${analyzed ? ', also with statistics' : ''}`, async () => {
    const { database, close } = await openTestDatabase('sqlite');
    after(close);
    const { kysely } = database;
    if (analyzed) {
      const world = new MailWorld(kysely);
      await appendEvents(
        kysely,
        Array.from({ length: 2000 }, () => world.event('ws_1', 'key.updated')),
      );
      await sql`ANALYZE`.execute(kysely);
    }
    const { rows } = await sql<{ detail: string }>`EXPLAIN QUERY PLAN ${recentChains('evt_1')}`.execute(
      kysely,
    );
    const plan = rows.map(({ detail }) => detail).join('\n');
    assert.match(plan, /SEARCH audit_event USING INDEX sqlite_autoindex_audit_event_1 \(id>\?\)/);
    assert.doesNotMatch(plan, /SCAN audit_event/);
  });
}
