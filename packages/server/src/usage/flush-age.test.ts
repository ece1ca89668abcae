import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlushAge } from './flush-age.ts';

test('the age counts from the start of the last flush that succeeded, and is unknown after one that failed', async () => {
  let now = 1000;
  const age = new FlushAge(() => now);
  const flushUntil = (end: number) => async () => {
    now = end;
  };
  now = 1300;
  assert.equal(age.ms, 300, 'nothing was counted before it was created');
  await age.during(flushUntil(1500));
  assert.equal(age.ms, 200, 'a use during the flush may not be in it');
  const failure = new Error('the disk is full');
  await assert.rejects(
    age.during(() => Promise.reject(failure)),
    failure,
  );
  assert.equal(age.ms, undefined);
  await age.during(flushUntil(1600));
  assert.equal(age.ms, 100);
});
