import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitMetrics, waitBucketBounds } from './wait-metrics.ts';

test('each wait is counted in the first bucket whose bound it does not exceed', () => {
  const figures = new WaitMetrics();
  for (const ms of [0, 5, 6, 5000, 5001]) figures.recordWait(ms);
  const { length } = waitBucketBounds;
  assert.deepEqual(
    [figures.buckets[0], figures.buckets[1], figures.buckets[length - 1], figures.buckets[length]],
    [2, 1, 1, 1],
  );
  assert.deepEqual(figures.all, { count: 5, sumMs: 10_012 });
});

test('waits are totaled by node name, and the least recent names are dropped', () => {
  const figures = new WaitMetrics();
  figures.recordNodeWait('old', 1);
  for (let number = 1; number < 50; number += 1) figures.recordNodeWait(`server ${number}`, 1);
  figures.recordNodeWait('old', 2);
  figures.recordNodeWait('new', 3);
  assert.deepEqual(figures.byName.get('old'), { count: 2, sumMs: 3 });
  assert.equal(figures.byName.has('server 1'), false);
  assert.equal(figures.byName.size, 50);
});
