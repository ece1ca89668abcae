import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

test('each step is followed by a rest, a short one also when the step took long; none when hurried', async () => {
  const rests: number[] = [];
  const pace = new Pace(async (duration) => {
    rests.push(duration);
  });
  assert.equal(await pace.step(async () => 'done'), 'done');
  const begun = performance.now();
  await pace.step(async () => {
    while (performance.now() - begun < 10);
  });
  assert.equal(rests.length, 2);
  assert.equal(rests[1], 50, 'nine times ten is more than the longest');
  pace.hurry();
  await pace.step(async () => undefined);
  assert.equal(rests.length, 2);
});

test('the rests are as short as the schedule demands', async () => {
  const rests: number[] = [];
  const pace = new Pace(async (duration) => {
    rests.push(duration);
  });
  const long = async () => {
    const begun = performance.now();
    while (performance.now() - begun < 10);
  };
  await pace.step(long, () => ({ end: performance.now() + 1000, steps: 1 }));
  assert.equal(rests[0], 50, 'there is time for the usual rest');
  await pace.step(long, () => ({ end: performance.now() + 1000, steps: 25 }));
  assert.ok((rests[1] ?? 0) < 30, '40 ms for each step and its rest');
  await pace.step(long, () => ({ end: performance.now() + 10, steps: 25 }));
  assert.equal(rests.length, 2, 'there is no time for any');
});

test('a step that fails throws on', async () => {
  await assert.rejects(
    new Pace().step(() => Promise.reject(new Error('full'))),
    /full/,
  );
});
