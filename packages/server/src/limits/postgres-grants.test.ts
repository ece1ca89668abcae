/** PostgreSQL grants what its model grants. */

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { GrantModel } from '../../../../test/support/grant-model.ts';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { testTimeoutMs } from '../../../../test/support/test-timeout.ts';
import { KeyLimits } from './key-limits.ts';
import { createLimits } from './limits.ts';
import { type GrantRequest, PostgresGrants } from './postgres-grants.ts';
import { maxQuota, minuteOf } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;
const { database, close } = await openTestPostgres();
after(close);
const { pool } = database;
const store = new PostgresGrants(pool, testTimeoutMs);
const noNode = { id: undefined, minute: 0 };

beforeEach(async () => {
  await pool.query('DELETE FROM rate_window; DELETE FROM verifier_node');
});

function requestOf(keyId: string, quota: number, rest: Partial<GrantRequest> = {}): GrantRequest {
  return { keyId, quota, wanted: true, unusedMinute: 0, unused: 0, ...rest };
}

/** The result of the function for one key at a time that the test sets. */
async function take(now: number, request: GrantRequest, withoutShare: string | null, withoutMinute: number) {
  const { keyId, quota, wanted, unusedMinute, unused } = request;
  const values = [now, [keyId], [quota], [wanted], [unusedMinute], [unused], withoutShare, withoutMinute];
  const { rows } = await pool.query('SELECT * FROM soku_take_grants($1, $2, $3, $4, $5, $6, $7, $8)', values);
  const { at_ms: at, key_id, minute: of, current, previous, granted } = rows[0];
  return [{ at, keyId: key_id, minute: of, current, previous, granted }];
}

/** @param at epoch ms */
async function join(id: string, at: number): Promise<void> {
  await pool.query(
    `INSERT INTO verifier_node (id, name, acked_seq, renewal, joined_at) VALUES ($1, '', 0, '', to_timestamp($2 / 1000.0))`,
    [id, at],
  );
}

type Change = 'nothing' | 'joins' | 'leaves';

/** @param ms since the registration of a node that joins */
async function change(model: GrantModel, id: string, what: Change, ms: number): Promise<void> {
  if (what === 'joins' && !model.nodes.has(id)) {
    model.nodes.set(id, model.now - ms);
    await join(id, model.now - ms);
  }
  if (what === 'leaves' && model.nodes.delete(id)) {
    await pool.query('DELETE FROM verifier_node WHERE id = $1', [id]);
  }
}

const steps = fc.array(
  fc.record({
    pause: fc.oneof(
      fc.integer({ min: 0, max: minute }),
      fc.integer({ min: -3 * minute, max: 3 * minute }),
      fc.constantFrom(minute - 1, minute, minute + 1, 2 * minute - 1, 2 * minute),
    ),
    wanted: fc.boolean(),
    /** Minutes since the minute of the unused part. */
    unusedAge: fc.integer({ min: -1, max: 2 }),
    unused: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
    node: fc.constantFrom('a', 'b', 'c'),
    changes: fc.constantFrom<Change>('nothing', 'nothing', 'joins', 'leaves'),
    hasShare: fc.boolean(),
    shareAge: fc.constantFrom(0, 0, 1),
  }),
  { maxLength: 14 },
);

const quotas = fc.oneof(
  fc.integer({ min: 1, max: 90 }),
  fc.integer({ min: 1, max: 2000 }),
  fc.constant(maxQuota),
);

test('for any requests and returns of nodes that join and leave, the numbers match the model', async () => {
  await fc.assert(
    fc.asyncProperty(quotas, steps, async (quota, all) => {
      await pool.query('DELETE FROM rate_window; DELETE FROM verifier_node');
      const model = new GrantModel(start);
      for (const { pause, wanted, unusedAge, unused, node, changes, hasShare, shareAge } of all) {
        model.now += pause;
        await change(model, node, changes, unused * 1000);
        const of = minuteOf(model.now);
        const request = requestOf('key', quota, { wanted, unused, unusedMinute: of - unusedAge });
        const withoutShare = { id: hasShare ? undefined : node, minute: of - shareAge };
        assert.deepEqual(
          await take(model.now, request, withoutShare.id ?? null, withoutShare.minute),
          model.take([request], withoutShare),
        );
      }
    }),
    { numRuns: runCount(30, 600) },
  );
});

test('concurrent requests for the same keys get exactly the limit, and block no one', async () => {
  for (let set = 0; set < 3; set++) {
    const keys = Array.from({ length: 1000 }, (_, i) => `key ${set} ${i}`);
    const sums = new Map<string, number>();
    const runCount = new Set<number>();
    const ask = async (ordered: string[]) => {
      const requests = ordered.map((keyId) => requestOf(keyId, 5));
      for (const { keyId, minute: of, granted } of await store.take(requests, noNode)) {
        runCount.add(of);
        sums.set(keyId, (sums.get(keyId) ?? 0) + granted);
      }
    };
    // With 5 left, the grants are 2, 1, 1 and 1.
    for (let round = 0; round < 2; round++) {
      await Promise.all([keys, keys.toReversed(), keys].map(ask));
    }
    // If the minute ends in between, one of them may be free again.
    for (const [keyId, sum] of sums) assert.ok(sum === 5 || runCount.size > 1, `${sum} of ${keyId}`);
    assert.equal(sums.size, keys.length);
  }
});

test('a node reads the time, the number of nodes, and how many of them share the next minute', async () => {
  const { at, ...none } = await store.readClusterState('a');
  assert.ok(Math.abs(at - Date.now()) < minute);
  assert.deepEqual(none, { nodes: 0, sharing: 0, isSharing: false });
  const next = (minuteOf(at) + 1) * minute;
  await join('a', next - 20_000);
  await join('b', next + 3 * minute);
  const { at: later, ...look } = await store.readClusterState('a');
  if (minuteOf(later) === minuteOf(at)) assert.deepEqual(look, { nodes: 2, sharing: 1, isSharing: true });
  assert.equal((await store.readClusterState('b')).isSharing, false);
});

test('nodes of the previous version, which count on the same rows, and nodes with grants do not exceed the limit', async () => {
  const reports = fc.array(
    fc.record({
      old: fc.boolean(),
      count: fc.integer({ min: 0, max: 20 }),
      pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
    }),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), reports, async (quota, all) => {
      await pool.query('DELETE FROM rate_window');
      let now = start;
      const passed = new Map<number, number>();
      for (const { old, count, pause } of all) {
        now += pause;
        // Neither has a share here, so each request needs a grant.
        const values = [now, ['key'], [0], [0], [0], [count], [quota]];
        const { rows } = old
          ? await pool.query('SELECT granted FROM soku_tell_windows($1, $2, $3, $4, $5, $6, $7)', values)
          : { rows: await take(now, requestOf('key', quota), null, 0) };
        passed.set(minuteOf(now), (passed.get(minuteOf(now)) ?? 0) + rows[0].granted);
      }
      for (const sum of passed.values()) assert.ok(sum <= quota, `${sum} of ${quota}`);
    }),
    { numRuns: runCount(20, 400) },
  );
});

test('a database that does not grant counts as a failure, and no request waits for it', async () => {
  const {
    grants,
    failures,
    start: begin,
    stop,
  } = createLimits({
    database,
    windows: new KeyLimits(),
    log: pino({ level: 'silent' }),
  });
  await begin();
  await pool.query('ALTER TABLE rate_window RENAME TO moved');
  try {
    assert.equal(failures(), 0);
    assert.equal(await grants?.wait('key', 5), false);
    assert.equal(await grants?.wait('key', 5), false);
    assert.equal(failures(), 1);
  } finally {
    await pool.query('ALTER TABLE moved RENAME TO rate_window');
    await stop();
  }
});

test('only expired windows are deleted', async () => {
  const { at } = await store.readClusterState('a');
  const insert = 'INSERT INTO rate_window SELECT $1 || n, $2, 1, 0 FROM generate_series(1, $3) AS n';
  await pool.query(insert, ['old', minuteOf(at) - 2, 2500]);
  await pool.query(insert, ['new', minuteOf(at), 1]);
  await store.prune();
  const { rows } = await pool.query('SELECT key_id FROM rate_window');
  assert.deepEqual(rows, [{ key_id: 'new1' }]);
});
