import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWrite } from './last-write.ts';
import { type StorageProblem, StorageUnavailable } from './unavailable.ts';

test('a last write that fails is tried again', async () => {
  let tries = 0;
  await lastWrite(async () => {
    tries += 1;
    if (tries < 3) throw new Error('database is locked');
  });
  assert.equal(tries, 3);
});

test('one that gets on is tried again for as long as it does', async (t) => {
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
  await lastWrite(write, () => last);
  assert.equal(now, 17_000);
});

test('one to a data directory that was removed is not tried again; a full disk may be mended', async () => {
  for (const [problem, expected] of [
    ['lost', 1],
    ['full', 2],
  ] satisfies [StorageProblem, number][]) {
    let tries = 0;
    const write = async () => {
      tries += 1;
      if (tries === 1) throw new StorageUnavailable('the disk', { problem, code: '', rolledBack: true });
    };
    await lastWrite(write).catch(() => undefined);
    assert.equal(tries, expected, problem);
  }
});
