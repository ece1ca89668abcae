import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyLimits } from '../limits/key-limits.ts';
import { allKeys } from '../usage/key-range.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import { KeyTable } from './key-table.ts';

const hour = 3_600_000;
const never = Number.POSITIVE_INFINITY;

/** A table with one secret. */
function tableOfOne() {
  const held = new PendingUses();
  const table = new KeyTable(1, held, new KeyLimits());
  const key = { keyId: 'key_one', workspaceId: 'ws_1', name: '', scopes: [], rateLimit: null };
  const row = table.add('x'.repeat(32), { ...key, expiresAt: never, retiresAt: never });
  return { held, table, row };
}

test('the last use is passed on with the first use in five minutes', () => {
  const { table, row } = tableOfOne();
  const changes = (minute: number) => {
    table.usage.accept(row, hour + minute * 60_000, '192.0.2.1', 'agent');
    const changed = table.usage.of(row)?.changesLastUse;
    table.usage.hold(row);
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
  const { held, table, row } = tableOfOne();
  for (const code of ['rate_limited', 'insufficient_scope', 'rate_limited', 'rate_limited'] as const) {
    table.usage.accept(row, hour, '192.0.2.1', 'agent');
    table.usage.reject(row, hour, code);
  }
  assert.deepEqual(table.usage.of(row)?.refusedBy, { rate_limited: 2 });
  table.usage.hold(row);
  const [counts, ...others] = held.of('key_one');
  assert.deepEqual([counts?.accepted, counts?.refused, others.length], [4, 4, 0]);
  assert.deepEqual(counts?.refusedBy, { rate_limited: 3, insufficient_scope: 1 });
});

test('the uses of a workspace are found in the table until they are passed on', () => {
  const { held, table, row } = tableOfOne();
  const use = () => table.usage.accept(row, hour, '192.0.2.1', 'agent');
  const inTable = () => table.usage.usesOfWorkspace('ws_1').map(({ accepted }) => accepted);
  const passedOn = () => [...held.ofWorkspace('ws_1')].map(({ accepted }) => accepted);
  use();
  assert.deepEqual([inTable(), passedOn()], [[1], []]);
  const rows = table.usage.holdAll(allKeys);
  use();
  assert.deepEqual([inTable(), passedOn()], [[2], []], 'rows that were listed still have their counts');
  Array.from(rows);
  assert.deepEqual([inTable(), passedOn()], [[], [2]]);
  use();
  assert.deepEqual([inTable(), passedOn()], [[1], [2]]);
  assert.deepEqual([table.usage.usesOfWorkspace('ws_2'), [...held.ofWorkspace('ws_2')]], [[], []]);
});
