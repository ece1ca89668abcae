import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pacer } from './pacer.ts';

test('each step is followed by a pause of limited length, or by none after hurry()', async () => {
  const rests: number[] = [];
  const pacer = new Pacer(async (duration) => {
    rests.push(duration);
  });
  assert.equal(await pacer.step(async () => 'done'), 'done');
  const begun = performance.now();
  await pacer.step(async () => {
    while (performance.now() - begun < 10);
  });
  assert.equal(rests.length, 2);
  assert.equal(rests[1], 50, 'nine times ten is more than the longest');
  pacer.hurry();
  await pacer.step(async () => undefined);
  assert.equal(rests.length, 2);
});

test('a pause ends at the given time', async () => {
  const rests: number[] = [];
  const pacer = new Pacer(async (duration) => {
    rests.push(duration);
  });
  const step = async (until: number) =>
    pacer.step(async () => {
      const begun = performance.now();
      while (performance.now() - begun < 10);
    }, until);
  await step(performance.now());
  assert.deepEqual(rests, []);
  await step(performance.now() + 1e6);
  assert.deepEqual(rests, [50]);
});

test('the error of a failed step is thrown', async () => {
  await assert.rejects(
    new Pacer().step(() => Promise.reject(new Error('full'))),
    /full/,
  );
});
