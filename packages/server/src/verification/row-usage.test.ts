import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { KeyLimits } from '../limits/key-limits.ts';
import { allKeys } from '../usage/key-range.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import { KeyTable } from './key-table.ts';

const hour = 3_600_000;

/** A table with one secret. */
function tableOfOne() {
  const pending = new PendingUses();
  const table = new KeyTable(1, pending, new KeyLimits());
  const row = table.add('x'.repeat(32), { ...unrestrictedKey, keyId: 'key_one', name: '' });
  return { pending, table, row };
}

test('the last use changes with the first use in each five minutes', () => {
  const { table, row } = tableOfOne();
  const changes = (minute: number) => {
    table.usage.accept(row, hour + minute * 60_000, '192.0.2.1', 'agent');
    const changed = table.usage.of(row)?.changesLastUse;
    table.usage.moveToPending(row);
    return changed;
  };
  assert.deepEqual([0, 1, 4.99, 5, 9, 59, 60, 61].map(changes), [
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    false,
  ]);
});

test('rejections are counted by code, also when the code alternates', () => {
  const { pending, table, row } = tableOfOne();
  for (const code of ['rate_limited', 'insufficient_scope', 'rate_limited', 'rate_limited'] as const) {
    table.usage.accept(row, hour, '192.0.2.1', 'agent');
    table.usage.reject(row, hour, code);
  }
  assert.deepEqual(table.usage.of(row)?.refusedBy, { rate_limited: 2 });
  table.usage.moveToPending(row);
  const [counts, ...others] = pending.of('key_one');
  assert.deepEqual([counts?.accepted, counts?.refused, others.length], [4, 4, 0]);
  assert.deepEqual(counts?.refusedBy, { rate_limited: 3, insufficient_scope: 1 });
});

test('the uses of a workspace are found in the table until they are pending', () => {
  const { pending, table, row } = tableOfOne();
  const use = () => table.usage.accept(row, hour, '192.0.2.1', 'agent');
  const inTable = () => table.usage.usesOfWorkspace('ws_1').map(({ accepted }) => accepted);
  const inPending = () => [...pending.ofWorkspace('ws_1')].map(({ accepted }) => accepted);
  use();
  assert.deepEqual([inTable(), inPending()], [[1], []]);
  const rows = table.usage.moveAllToPending(allKeys);
  use();
  assert.deepEqual([inTable(), inPending()], [[2], []], 'rows that were listed still have their counts');
  Array.from(rows);
  assert.deepEqual([inTable(), inPending()], [[], [2]]);
  use();
  assert.deepEqual([inTable(), inPending()], [[1], [2]]);
  assert.deepEqual([table.usage.usesOfWorkspace('ws_2'), [...pending.ofWorkspace('ws_2')]], [[], []]);
});

test('a use while rows become pending is read once', () => {
  const { pending, table, row } = tableOfOne();
  const use = () => table.usage.accept(row, hour, '192.0.2.1', 'agent');
  const read = () => [
    table.usage.usesOfWorkspace('ws_1').map(({ accepted }) => accepted),
    table.usage.sampledUsesOfWorkspace('ws_1').map(({ counts }) => counts.accepted),
    [...pending.ofWorkspace('ws_1')].map(({ accepted }) => accepted),
  ];
  use();
  const rows = table.usage.moveAllToPending(allKeys);
  rows.next();
  use();
  assert.deepEqual(read(), [[1], [1], [1]]);
  Array.from(rows);
  assert.deepEqual(read(), [[1], [1], [1]]);
});
