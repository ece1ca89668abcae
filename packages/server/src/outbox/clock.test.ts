/** Rows of work whose times were written by a clock that was ahead, and was then set back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { claimDue, endImpossibleWaits, finishAttempt } from './leased-rows.ts';
import { LeasedWork } from './leased-work.ts';

const table = 'webhook_delivery';
/** ms. */
const day = 86_400_000;

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());
  /** The only rows, due at these times and named by their place. */
  const withRows = async (due: readonly number[]) => {
    const { kysely } = (await opened).database;
    await kysely.deleteFrom(table).execute();
    const rest = { webhook_id: 'w', type: 'x', body: '{}', created_at: 0, attempts: 0 };
    const rows = due.map((at, i) => ({ id: `w${i}`, next_attempt_at: at, ...rest }));
    await kysely.insertInto(table).values(rows).execute();
    return kysely;
  };

  test(`rows scheduled by a clock that was ahead are due when it was set back, on ${which}`, async () => {
    const db = await withRows([day + 5000, 5000, day * 2, day]);
    const waits = [0, 5000, day * 1.9];
    // The first two wait for their second attempt, the others, after many attempts, for the longest delay.
    await sql`UPDATE webhook_delivery SET attempts = CASE WHEN id IN ('w0', 'w1') THEN 1 ELSE 9 END`.execute(
      db,
    );
    await db.updateTable(table).set({ lease_until: day }).where('id', '=', 'w3').execute();
    await endImpossibleWaits(db, table, { now: 1000, lease: 100, waits });
    const due = async (now: number) =>
      (await claimDue(db, table, { now, lease: 100, limit: 10 })).map(({ id }) => id);
    assert.deepEqual(await due(1000), ['w0']);
    assert.deepEqual(await due(4999), ['w0'], 'its lease has ended, and w1 still has its usual delay');
    assert.deepEqual((await due(5099)).sort(), ['w0', 'w1']);
    const [row] = await db.selectFrom(table).select('lease_until').where('id', '=', 'w3').execute();
    assert.equal(Number(row?.lease_until), which === 'sqlite' ? day : 1000);
  });

  test(`work notices that the clock was set back, on ${which}`, async () => {
    const db = await withRows([0]);
    let ahead = day;
    const now = () => Math.round(performance.now()) + ahead;
    const attempts = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const work = new LeasedWork({
      ...{ db, table, concurrency: 5, interval: 5, lease: 1000, stopTimeout: 1, waits: [0, 5000] },
      now,
      queues: async () => [{ name: 'all', concurrency: 1 }],
      attempt: async (claim) => {
        await finishAttempt(db, table, claim, now() + 5000);
        attempts[claim.attempts - 1]?.resolve();
      },
      failed: (error) => attempts[0]?.reject(error),
    });
    work.start();
    await attempts[0]?.promise;
    ahead = 0;
    await attempts[1]?.promise;
    await work.stop();
  });
}
