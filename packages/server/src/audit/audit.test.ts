/** Sealing, verification and retention on real databases. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import {
  baselineWith,
  emptyAnchor,
  exportAll,
  openAuditLog,
  readSealedRows,
  start,
  testEvent,
} from '../../../../test/support/audit-log.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { appendEvents } from '../events/events.ts';
import type { EventRow } from './chain.ts';
import { pruneEvents } from './retention.ts';
import { sealEvents } from './sealer.ts';
import { verifyChains } from './verify.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const { emptied, close } = openAuditLog(which);
  after(close);

  test(`each chain is sealed separately, in the order of event ids, on ${which}`, async () => {
    const db = await emptied();
    const events = Array.from({ length: 1200 }, (_, i) => testEvent(i, `ws_${i % 3}`));
    await appendEvents(db, events.slice(0, 700));
    await sealEvents(db);
    await appendEvents(db, events.slice(700));
    // Two nodes at the same time.
    await Promise.all([sealEvents(db), sealEvents(db)]);
    await sealEvents(db);
    for (const chain of ['ws_0', 'ws_1', 'ws_2']) {
      const rows = await readSealedRows(db, chain);
      assert.deepEqual(
        rows.map(({ sequence }) => sequence),
        Array.from({ length: 400 }, (_, i) => i + 1),
      );
      assert.deepEqual(
        rows.map(({ at }) => at),
        rows.map(({ at }) => at).toSorted((a, b) => a - b),
      );
      for (const [i, row] of rows.entries())
        assert.equal(row.previous_hash, rows[i - 1]?.hash ?? '0'.repeat(64));
    }
    assert.deepEqual(await verifyChains(db, baselineWith(emptyAnchor)), {
      chains: 3,
      events: 1200,
      unsealed: 0,
      overdue: 0,
      breaks: [],
      pruned: [],
      backdated: [],
    });
  });

  test(`an unreadable row is sealed and reported, and so are the rows after it, on ${which}`, async () => {
    const events = Array.from({ length: 5 }, (_, i) => testEvent(i));
    for (const changes of ['{', '{"a":{"from":"\\ud800","to":1}}']) {
      const db = await emptied();
      await appendEvents(db, events);
      const [, second] = await db.selectFrom('audit_event').select('id').orderBy('id').execute();
      await db
        .updateTable('audit_event')
        .set({ changes })
        .where('id', '=', second?.id ?? '')
        .execute();
      await sealEvents(db);
      const rows = await readSealedRows(db);
      assert.equal(rows.length, 5);
      const [broken] = (await verifyChains(db, baselineWith(emptyAnchor))).breaks;
      assert.deepEqual([broken?.sequence, broken?.id], [2, second?.id]);
      assert.match(broken?.problem ?? '', /changes cannot be read/);
      // A last event without a hash does not stop the chain either.
      await db.updateTable('audit_event').set({ hash: null }).where('sequence', '=', 5).execute();
      await appendEvents(db, events);
      await sealEvents(db);
      assert.equal((await readSealedRows(db)).length, 10);
    }
  });

  test(`old events are deleted from the start of a chain, which remains verifiable, on ${which}`, async () => {
    const db = await emptied();
    await appendEvents(
      db,
      Array.from({ length: 2500 }, (_, i) => testEvent(i)),
    );
    await sealEvents(db);
    await pruneEvents(db, start + 5000, 5000 - 2100);
    assert.equal((await readSealedRows(db))[0]?.at, start + 2100);
    // The record is not sealed yet.
    assert.deepEqual((await verifyChains(db, baselineWith(emptyAnchor))).breaks, []);
    await sealEvents(db);
    const anchor = await exportAll(db);
    assert.deepEqual((await verifyChains(db, baselineWith(anchor))).breaks, []);
    // All events are old, but the end of the chain stays.
    await pruneEvents(db, start + 100_000, 1);
    await sealEvents(db);
    const left = await readSealedRows(db);
    assert.deepEqual(
      left.map(({ action }) => action),
      Array(left.length).fill('audit.pruned'),
    );
    assert.deepEqual((await verifyChains(db, baselineWith(anchor))).breaks, []);
    // A deletion without its record is detected.
    await db
      .deleteFrom('audit_event')
      .where('id', '=', left[0]?.id ?? '')
      .execute();
    assert.match(
      (await verifyChains(db, baselineWith(emptyAnchor))).breaks[0]?.problem ?? '',
      /no audit\.pruned event/,
    );
  });
}

for (const [length, edits, swaps] of [
  [runCount(1200, 10_000), 2, 1],
  [runCount(60, 150), runCount(30, 500), runCount(10, 250)],
] as const)
  test(`each single edit, removal, swap and truncation in a log of ${length} events is found`, async (t) => {
    const { database, close } = await openTestDatabase('sqlite');
    t.after(close);
    const db = database.kysely;
    await appendEvents(
      db,
      Array.from({ length }, (_, i) => testEvent(i)),
    );
    await sealEvents(db);
    const anchor = await exportAll(db);
    const rows = await readSealedRows(db);
    const rowAt = (sequence: number): EventRow => {
      const row = rows[sequence - 1];
      assert.ok(row !== undefined);
      return row;
    };
    const put = async (row: EventRow) => {
      await db.insertInto('audit_event').values(row).execute();
    };
    const remove = (...ids: string[]) => db.deleteFrom('audit_event').where('id', 'in', ids).execute();
    /** The content of one row at the position of another. */
    const inPlaceOf = (row: EventRow, place: EventRow): EventRow => ({
      ...row,
      sequence: place.sequence,
      previous_hash: place.previous_hash,
      hash: place.hash,
    });
    const editable = [
      'at',
      'actor_kind',
      'actor_id',
      'actor_name',
      'address',
      'user_agent',
      'request_id',
      'action',
      'target_kind',
      'target_id',
      'target_name',
      'changes',
      'details',
      'previous_hash',
      'hash',
      'id',
      'chain',
    ] as const;
    const another = {
      at: 1,
      chain: 'ws_2',
      changes: '{}',
      details: '{"a":1}',
      action: 'key.revoked',
      actor_kind: 'key',
    };
    const place = fc.integer({ min: 1, max: length - 1 });

    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom(...editable), async (sequence, column) => {
        const row = rowAt(sequence);
        const value =
          { ...another, previous_hash: rowAt(length).hash, hash: rowAt(1).previous_hash }[column as 'at'] ??
          'x';
        await remove(row.id);
        await put({ ...row, [column]: value });
        const { breaks } = await verifyChains(db, baselineWith(emptyAnchor));
        await db
          .deleteFrom('audit_event')
          .where((eb) => eb.or([eb('sequence', '=', sequence)]))
          .execute();
        await put(row);
        assert.equal(breaks.find(({ chain }) => chain === 'ws_1')?.sequence, sequence, column);
      }),
      { numRuns: edits },
    );
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        fc.pre(one !== other);
        const [a, b] = [rowAt(one), rowAt(other)];
        await remove(a.id);
        const removed = await verifyChains(db, baselineWith(emptyAnchor));
        assert.deepEqual([removed.breaks[0]?.sequence, removed.breaks[0]?.id], [one, null]);
        await remove(b.id);
        await put(inPlaceOf(a, b));
        await put(inPlaceOf(b, a));
        const swapped = await verifyChains(db, baselineWith(emptyAnchor));
        await remove(a.id, b.id);
        await put(a);
        await put(b);
        assert.equal(swapped.breaks[0]?.sequence, Math.min(one, other));
      }),
      { numRuns: swaps },
    );
    assert.deepEqual((await verifyChains(db, baselineWith(anchor))).breaks, [], 'the log is unchanged');

    const cut = rows.slice(-10);
    await remove(...cut.map(({ id }) => id));
    assert.deepEqual(
      (await verifyChains(db, baselineWith(emptyAnchor))).breaks,
      [],
      'a truncation leaves no gap',
    );
    assert.equal((await verifyChains(db, baselineWith(anchor))).breaks[0]?.sequence, length - 9);
    // The end is rewritten: other events take the positions of those that were removed.
    await appendEvents(
      db,
      Array.from({ length: 20 }, (_, i) => testEvent(length + i)),
    );
    await sealEvents(db);
    assert.deepEqual((await verifyChains(db, baselineWith(emptyAnchor))).breaks, []);
    assert.equal((await verifyChains(db, baselineWith(anchor))).breaks[0]?.sequence, length - 9);
    await sql`DELETE FROM audit_event`.execute(db);
    assert.equal((await verifyChains(db, baselineWith(anchor))).breaks[0]?.sequence, 1);
  });
