/** The periods of a range of usage, and how long usage is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type UsageHistoryQuery, usageHistoryQuerySchema } from '@soku/contract/usage-history';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { HistoryReader } from './history-reader.ts';
import { UsageHistoryService } from './history-service.ts';
import { SqliteUsageStore } from './store.ts';

const { database, close } = await openWithSecrets(1, 1);
test.after(close);
const reader = new HistoryReader(new SqliteUsageStore(database), new SecretCache({ valid: 1, rejected: 1 }));

function historyOf(query: Partial<UsageHistoryQuery>, time: string, retentionDays = 90) {
  const service = new UsageHistoryService(reader, {
    checkKey: async () => undefined,
    retentionDays,
    now: () => Date.parse(time),
  });
  return service.ofWorkspace('ws_1', usageHistoryQuerySchema.parse(query));
}

for (const [query, by, length] of [
  [{ days: 7 }, 'hour', 145],
  [{ days: 8 }, 'day', 8],
  [{ hours: 168 }, 'hour', 168],
  [{ hours: 169 }, 'day', 8],
] as const) {
  test(`just after midnight, ${JSON.stringify(query)} is by ${by}`, async () => {
    const found = await historyOf(query, '2026-03-09T00:30:00Z');
    assert.deepEqual([found.by, found.periods.length], [by, length]);
  });
}

test('a long range by hour is rejected, and by day it is as long as usage is kept', async () => {
  const time = '2026-03-09T12:00:00Z';
  await assert.rejects(async () => historyOf({ days: 'all', by: 'hour' }, time, 3660), /at most 2400 hours/);
  assert.equal((await historyOf({ days: 100, by: 'hour' }, time, 3660)).periods.length, 99 * 24 + 13);
  const { periods, retentionDays } = await historyOf({ days: 'all' }, time, 3660);
  assert.deepEqual([periods.length, retentionDays], [3660, 3660]);
});
