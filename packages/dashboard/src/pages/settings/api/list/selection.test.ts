import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListedKey } from '@soku/contract/keys';
import { emptySelection, maxSelected, selectRows, toggleRow } from './selection.ts';

function row(n: number, status: ListedKey['status'] = 'active'): ListedKey {
  return {
    id: `key_${n}`,
    name: `Key ${n}`,
    preview: 'sk_live_abc...xyz',
    status,
    environment: 'live',
    scopes: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'user',
    lastUsedAt: null,
    expiresAt: null,
    disabledAt: null,
    revokedAt: null,
    revokedReason: null,
    allowedAddresses: [],
    rateLimit: null,
    externalId: null,
    metadata: {},
    secrets: [],
  };
}

const rows = [row(0), row(1), row(2, 'revoked'), row(3), row(4)];

test('a range has the state of the row that ends it, and skips keys that are revoked', () => {
  const first = toggleRow(emptySelection, rows, 'key_1', false);
  const range = toggleRow(first, rows, 'key_4', true);
  assert.deepEqual([...range.keys.keys()], ['key_1', 'key_3', 'key_4']);
  const back = toggleRow(range, rows, 'key_3', true);
  assert.deepEqual([...back.keys.keys()], ['key_1']);
});

test('a range whose start is no longer in the list is only the row that was clicked', () => {
  const first = toggleRow(emptySelection, rows, 'key_1', false);
  const range = toggleRow(first, [row(7), row(8), row(9)], 'key_9', true);
  assert.deepEqual([...range.keys.keys()], ['key_1', 'key_9']);
});

test('at most 1,000 keys are selected, and a selected key stays selected', () => {
  const many = Array.from({ length: maxSelected + 50 }, (_, n) => row(n));
  const keys = selectRows(new Map(), many, true);
  assert.equal(keys.size, maxSelected);
  const changed = selectRows(keys, [{ ...row(0), name: 'Renamed' }, row(maxSelected + 20)], true);
  assert.equal(changed.size, maxSelected);
  assert.equal(changed.get('key_0')?.name, 'Renamed');
});
