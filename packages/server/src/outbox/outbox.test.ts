/** Sealed events as an outbox, and rows of work that nodes share by leases. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { testEvent } from '../../../../test/support/audit-log.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { sealEvents } from '../audit/sealer.ts';
import { appendEvents } from '../events/events.ts';
import { nextAttemptAt } from './backoff.ts';
import { type Claim, claimDue, endStaleLeases, finishAttempt, releaseLease } from './leased-rows.ts';
import { LeasedWork } from './leased-work.ts';
import { lastSequence, readSealedEvents } from './sealed-events.ts';

const table = 'webhook_delivery';

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  const emptied = async () => {
    const { kysely } = (await opened).database;
    await kysely.deleteFrom(table).execute();
    await kysely.deleteFrom('audit_event').execute();
    return kysely;
  };
  /** Adds rows that are due at these times, named by their place. */
  const withRows = async (due: readonly number[], webhook = 'w') => {
    const db = await emptied();
    const rows = due.map((at, i) => ({ id: `${webhook}${i}`, webhook_id: webhook, next_attempt_at: at }));
    const rest = { type: 'x', body: '{}', created_at: 0, attempts: 0 };
    await db
      .insertInto(table)
      .values(rows.map((row) => ({ ...row, ...rest })))
      .execute();
    return db;
  };
  const addRows = async (webhook: string, count: number) => {
    const rest = {
      webhook_id: webhook,
      type: 'x',
      body: '{}',
      created_at: 0,
      attempts: 0,
      next_attempt_at: 1,
    };
    const rows = Array.from({ length: count }, (_, i) => ({ id: `${webhook}${i}`, ...rest }));
    await (await opened).database.kysely.insertInto(table).values(rows).execute();
  };

  test(`sealed events are read in order after a position, and unsealed ones are not, on ${which}`, async () => {
    const db = await emptied();
    await appendEvents(db, [testEvent(1), testEvent(2, 'ws_2'), testEvent(3), testEvent(4)]);
    await sealEvents(db);
    await appendEvents(db, [testEvent(5)]);
    const read = async (after: number, limit = 10) =>
      (await readSealedEvents(db, 'ws_1', after, limit)).map(({ sequence, target }) => [sequence, target.id]);
    assert.deepEqual(await read(0, 2), [
      [1, 'key_1'],
      [2, 'key_3'],
    ]);
    assert.deepEqual(await read(2), [[3, 'key_4']]);
    assert.deepEqual(await read(3), []);
    assert.deepEqual(
      [await lastSequence(db, 'ws_1'), await lastSequence(db, 'ws_2'), await lastSequence(db, 'none')],
      [3, 1, 0],
    );
  });

  test(`a due row is leased once, and again after its lease, on ${which}`, async () => {
    const db = await withRows([10, 5, 30]);
    const claim = (now: number, limit = 10) => claimDue(db, table, { now, lease: 100, limit });
    assert.deepEqual(await claim(4), []);
    const [first] = await claim(20, 1);
    assert.deepEqual(first, { id: 'w1', attempts: 1, leaseUntil: 120 }, 'the one that has waited longest');
    assert.deepEqual(
      (await claim(20)).map(({ id }) => id),
      ['w0'],
    );
    assert.deepEqual(
      (await claim(119)).map(({ id }) => id),
      ['w2'],
    );
    // As after a crash, which does not use up an attempt.
    const again = (await claim(120)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(again, [
      { id: 'w0', attempts: 1, leaseUntil: 220 },
      { id: 'w1', attempts: 1, leaseUntil: 220 },
    ]);
    assert.ok(first);
    assert.equal(await finishAttempt(db, table, first, null), false, 'the lease has passed on');
    const [w0, w1] = again;
    assert.ok(w0 && w1);
    assert.equal(await finishAttempt(db, table, w0, null), true);
    assert.equal(await finishAttempt(db, table, w1, 500), true);
    assert.deepEqual(
      (await claim(499)).map(({ id }) => id),
      ['w2'],
    );
    const [retried] = await claim(500);
    assert.deepEqual([retried?.id, retried?.attempts], ['w1', 2]);
    if (retried) await releaseLease(db, table, retried);
    assert.deepEqual(
      (await claim(501, 1)).map(({ attempts }) => attempts),
      [2],
      'it did not count',
    );
    if (which === 'sqlite') {
      await endStaleLeases(db, table);
      const stale = (await claim(502)).map(({ id, attempts }) => [id, attempts]);
      assert.deepEqual(stale.toSorted(), [
        ['w1', 2],
        ['w2', 1],
      ]);
    }
  });

  test(`concurrent claims never lease the same row, on ${which}`, async () => {
    const db = await withRows(Array.from({ length: 60 }, () => 1));
    const claims = await Promise.all(
      Array.from({ length: 12 }, () => claimDue(db, table, { now: 1, lease: 9, limit: 5 })),
    );
    const ids = claims.flat().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      (await db.selectFrom(table).select('id').where('lease_until', 'is not', null).execute()).length,
      ids.length,
    );
  });

  test(`a recipient that hangs delays no other, on ${which}`, async () => {
    const db = await withRows([1, 1, 1, 1]);
    await db
      .insertInto(table)
      .values(
        Array.from({ length: 9 }, (_, i) => ({
          ...{ id: `v${i}`, webhook_id: 'v', type: 'x', body: '{}', created_at: 0, attempts: 0 },
          next_attempt_at: 2,
        })),
      )
      .execute();
    const hanging = new Map<string, () => void>();
    const [running, done]: [Set<string>, string[]] = [new Set(), []];
    const finished = Promise.withResolvers<void>();
    let most = 0;
    const attempt = async (claim: Claim, signal: AbortSignal) => {
      running.add(claim.id);
      most = Math.max(most, running.size);
      if (claim.id.startsWith('w')) {
        const { promise, resolve } = Promise.withResolvers<void>();
        hanging.set(claim.id, resolve);
        signal.addEventListener('abort', () => resolve());
        await promise;
        await releaseLease(db, table, claim);
      } else {
        await turn();
        await finishAttempt(db, table, claim, null);
        done.push(claim.id);
      }
      running.delete(claim.id);
      if (done.length === 9) finished.resolve();
    };
    const work = new LeasedWork({
      ...{
        db,
        table,
        attempt,
        concurrency: 5,
        interval: 5,
        lease: 1000,
        stopTimeout: 1,
        waits: [0],
        now: () => 10,
      },
      queues: async () =>
        ['w', 'v'].map((name) => ({ name, concurrency: 2, only: sql`webhook_id = ${name}` })),
      failed: (error) => finished.reject(error),
    });
    work.start();
    await finished.promise;
    assert.deepEqual([...hanging.keys()].sort(), ['w0', 'w1']);
    assert.deepEqual(
      done.toSorted(),
      Array.from({ length: 9 }, (_, i) => `v${i}`),
    );
    assert.ok(most <= 4, `${most} at once`);
    await work.stop();
    assert.equal(running.size, 0, 'the hanging ones were aborted');
    const left = await claimDue(db, table, { now: 10, lease: 1, limit: 10 });
    assert.deepEqual(
      left.map(({ id, attempts }) => [id, attempts]).toSorted(),
      ['w0', 'w1', 'w2', 'w3'].map((id) => [id, 1]),
    );
  });

  test(`queues take turns when there are fewer slots than queues, on ${which}`, async () => {
    const db = await withRows([1, 1, 1], 'x');
    await addRows('y', 3);
    const order: string[] = [];
    const finished = Promise.withResolvers<void>();
    const work = new LeasedWork({
      ...{ db, table, concurrency: 1, interval: 5, lease: 1000, stopTimeout: 1, waits: [0], now: () => 10 },
      queues: async () =>
        ['x', 'y'].map((name) => ({ name, concurrency: 2, only: sql`webhook_id = ${name}` })),
      attempt: async (claim) => {
        await finishAttempt(db, table, claim, null);
        order.push(claim.id.slice(0, 1));
        if (order.length === 6) finished.resolve();
      },
      failed: (error) => finished.reject(error),
    });
    work.start();
    await finished.promise;
    await work.stop();
    assert.equal(order.join(''), 'xyxyxy');
  });

  test(`queues of a group that hang neither keep their slots nor take all of them, on ${which}`, async () => {
    const db = await withRows(
      Array.from({ length: 9 }, () => 1),
      'a',
    );
    await addRows('b', 9);
    /** The running attempts, oldest first, and what ends each of them. */
    const running = new Map<string, () => void>();
    const names = () => [...running.keys()].map((id) => id.slice(0, 1)).sort();
    const failure = Promise.withResolvers<never>();
    let whenRound = Promise.withResolvers<void>();
    const group = { name: 'workspace', concurrency: 3 };
    const work = new LeasedWork({
      ...{ db, table, concurrency: 4, interval: 5, lease: 1000, stopTimeout: 1, waits: [0], now: () => 10 },
      queues: async () => {
        whenRound.resolve();
        whenRound = Promise.withResolvers<void>();
        return ['a', 'b', 'c'].map((name) => ({
          ...{ name, concurrency: 4, only: sql`webhook_id = ${name}` },
          ...(name === 'c' ? {} : { group }),
        }));
      },
      attempt: async (claim, signal) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        running.set(claim.id, resolve);
        signal.addEventListener('abort', () => resolve());
        await promise;
        running.delete(claim.id);
        await (signal.aborted ? releaseLease(db, table, claim) : finishAttempt(db, table, claim, null));
      },
      failed: (error) => failure.reject(error),
    });
    /** Resolves when a round that begins after the call has ended. */
    const round = async () => {
      for (let i = 0; i < 2; i++) await Promise.race([whenRound.promise, failure.promise]);
    };
    const endOldest = async () => {
      const [[id, end] = assert.fail()] = running;
      end();
      while (running.has(id) || running.size < 4) await round();
    };
    work.start();
    while (running.size < 3) await round();
    await round();
    assert.deepEqual(names(), ['a', 'a', 'b'], 'one slot is left for others');
    await addRows('c', 9);
    while (running.size < 4) await round();
    assert.deepEqual(names(), ['a', 'a', 'b', 'c']);
    await endOldest();
    assert.deepEqual(names().slice(2), ['c', 'c'], 'a slot that became free');
    await endOldest();
    assert.deepEqual(names().slice(2), ['c', 'c'], 'no queue has all of them');
    await work.stop();
    assert.equal(running.size, 0);
  });
}

test('the delays between attempts are those of the schedule, and up to a tenth', () => {
  const delays = [1000, 5000];
  assert.equal(nextAttemptAt(delays, 1, 10, 0), 1010);
  assert.equal(nextAttemptAt(delays, 2, 10, 1), 5510);
  assert.equal(nextAttemptAt(delays, 3, 10), null);
});
