/** The windows in PostgreSQL count as those in memory do. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { openPatiently } from '../../../../test/support/open-database.ts';
import { patience } from '../../../../test/support/patience.ts';
import { temporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { keepLimits } from './limits.ts';
import { SharedWindows } from './shared-windows.ts';
import { advance, maxQuota, minuteOf, take, type Window } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;
const temporary = await temporaryDatabase();
const database = await openPatiently(temporary.url);
after(async () => {
  await database.close();
  await temporary.drop();
});
const { pool } = database;
const store = new SharedWindows(pool, patience);

/** What the function says of one key at a time that the test sets. */
async function tell(now: number, passed: Window, wanted: number, quota: number) {
  const values = [now, ['key'], [passed.minute], [passed.current], [passed.previous], [wanted], [quota]];
  const { rows } = await pool.query('SELECT * FROM soku_tell_windows($1, $2, $3, $4, $5, $6, $7)', values);
  const { minute: at, current, previous, granted } = rows[0];
  return { window: { minute: at, current, previous }, granted };
}

const nothing = { minute: 0, current: 0, previous: 0 };

const steps = fc.array(
  fc.record({
    pause: fc.oneof(
      fc.integer({ min: 0, max: minute }),
      fc.integer({ min: -3 * minute, max: 3 * minute }),
      fc.constantFrom(minute - 1, minute, minute + 1, 2 * minute - 1, 2 * minute),
    ),
    wanted: fc.integer({ min: 0, max: 20 }),
    passed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.constant(maxQuota)),
    before: fc.integer({ min: 0, max: 20 }),
    /** Minutes by which the node that tells is behind. */
    behind: fc.integer({ min: -1, max: 2 }),
  }),
  { maxLength: 12 },
);

/** The same in memory: the window is moved, then what passed is added where it belongs, then as many are taken. */
function model(window: Window, now: number, passed: Window, wanted: number, quota: number): number {
  advance(window, now);
  const own = { ...passed };
  advance(own, now);
  window.current = Math.min(maxQuota, window.current + own.current);
  window.previous = Math.min(maxQuota, window.previous + own.previous);
  let granted = 0;
  while (granted < wanted && take(window, 'key', quota, now).passed) granted += 1;
  return granted;
}

test('whatever is told and wanted, the numbers are those of a window in memory', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), steps, async (quota, all) => {
      await pool.query('DELETE FROM rate_window');
      const expected: Window = { ...nothing };
      let now = start;
      for (const { pause, wanted, passed: current, before: previous, behind } of all) {
        now += pause;
        const passed = { minute: minuteOf(now) - behind, current, previous };
        const granted = model(expected, now, passed, wanted, quota);
        assert.deepEqual(await tell(now, passed, wanted, quota), { window: expected, granted });
      }
    }),
    { numRuns: 60 },
  );
});

test('the highest limits are counted exactly', async () => {
  await pool.query('DELETE FROM rate_window');
  const full = { minute: minuteOf(start), current: maxQuota - 3, previous: 0 };
  assert.equal((await tell(start, full, 5, maxQuota)).granted, 3);
  assert.equal((await tell(start + minute + 1, nothing, 100_000, maxQuota)).granted, 16_667);
});

test('nodes that tell of the same keys at once lose nothing, give nothing twice, and block nobody', async () => {
  await pool.query('DELETE FROM rate_window');
  for (let set = 0; set < 3; set++) {
    const keys = Array.from({ length: 2000 }, (_, i) => `key ${set} ${i}`);
    const ask = async (ordered: string[]) =>
      store.tell(ordered.map((keyId) => ({ keyId, passed: nothing, wanted: 20, quota: 50 })));
    const answers = await Promise.all([keys, keys.toReversed(), keys, keys.toReversed()].map(ask));
    const sums = new Map<string, number>();
    for (const { keyId, granted } of answers.flatMap(({ told }) => told)) {
      sums.set(keyId, (sums.get(keyId) ?? 0) + granted);
    }
    // When the minute ends in between, a few of the fifty are free again.
    const most = new Set(answers.map(({ at }) => minuteOf(at))).size === 1 ? 50 : 60;
    for (const [keyId, sum] of sums) assert.ok(sum >= 50 && sum <= most, `${sum} of ${keyId}`);
    assert.equal(sums.size, keys.length);
  }
});

test('a stop tells of every part that is written', async () => {
  const { shared, keys, stop } = keepLimits({ database, log: pino({ level: 'silent' }) });
  for (let n = 0; n < 1200; n++) shared?.take(keys.windowOf(`key ${n}`), `key ${n}`, 50, Date.now());
  let parts = 0;
  await stop(() => (parts += 1));
  assert.equal(parts, 3);
});

test('writes of limits that fail are counted', async () => {
  const { shared, keys, failures, stop } = keepLimits({ database, log: pino({ level: 'silent' }) });
  shared?.take(keys.windowOf('key'), 'key', 50, Date.now());
  await pool.query('ALTER TABLE rate_window RENAME TO moved');
  try {
    assert.equal(failures(), 0);
    await stop();
    assert.ok(failures() > 0);
  } finally {
    await pool.query('ALTER TABLE moved RENAME TO rate_window');
  }
});

async function keysRead(): Promise<string[]> {
  const slices: string[][] = [];
  for await (const windows of store.read()) slices.push(windows.map(({ keyId }) => keyId));
  return slices.flat();
}

test('however many windows count still, each is read once', async () => {
  await pool.query('DELETE FROM rate_window');
  const { at } = await store.tell([]);
  for (const count of [0, 5000, 12_345]) {
    await pool.query(
      'INSERT INTO rate_window SELECT md5(n::text), $1, n, 0 FROM generate_series(1, $2::int) AS n ON CONFLICT DO NOTHING',
      [minuteOf(at), count],
    );
    const keys = await keysRead();
    assert.deepEqual([keys.length, new Set(keys).size], [count, count]);
  }
});

test('what counts still is read, and only what does not is deleted', async () => {
  await pool.query('DELETE FROM rate_window');
  const { at } = await store.tell([]);
  assert.ok(Math.abs(at - Date.now()) < minute);
  const insert = 'INSERT INTO rate_window SELECT $1 || n, $2, 1, 0 FROM generate_series(1, $3) AS n';
  await pool.query(insert, ['old', minuteOf(at) - 2, 2500]);
  await pool.query(insert, ['new', minuteOf(at), 1]);
  assert.deepEqual(await keysRead(), ['new1']);
  await store.prune();
  const { rows } = await pool.query('SELECT key_id FROM rate_window');
  assert.deepEqual(rows, [{ key_id: 'new1' }]);
});
