import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWithRetries } from './final-write.ts';
import { type StorageProblem, StorageUnavailable } from './unavailable.ts';

test('a failed final write is retried', async () => {
  let tries = 0;
  await writeWithRetries(async () => {
    tries += 1;
    if (tries < 3) throw new Error('database is locked');
  });
  assert.equal(tries, 3);
});

test('the final write is retried as long as it makes progress', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  let last = 0;
  const write = async () => {
    now += 4000;
    if (last < 13_000) {
      last = now;
      throw new Error('a slow network');
    }
  };
  await writeWithRetries(write, () => last);
  assert.equal(now, 17_000);
});

test('the final write is not retried when the data directory was removed, but it is on a full disk', async () => {
  for (const [problem, expected] of [
    ['lost', 1],
    ['full', 2],
  ] satisfies [StorageProblem, number][]) {
    let tries = 0;
    const write = async () => {
      tries += 1;
      if (tries === 1) throw new StorageUnavailable('the disk', { problem, code: '', rolledBack: true });
    };
    await writeWithRetries(write).catch(() => undefined);
    assert.equal(tries, expected, problem);
  }
});
