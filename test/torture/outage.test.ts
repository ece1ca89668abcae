import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outage } from './outage.ts';

test('an outage excuses the requests that overlap it, until its recovery time', () => {
  const outage = new Outage();
  const excuses = (sentAt: number, receivedAt: number) => outage.excuses({ sentAt, receivedAt });
  assert.equal(excuses(1, 2), false);
  outage.begin(100);
  assert.equal(excuses(90, 101), true);
  assert.equal(excuses(5000, 5001), true);
  assert.equal(excuses(90, 99), false);
  outage.end(200);
  assert.equal(excuses(199, 300), true);
  assert.equal(excuses(201, 202), false);
  outage.begin(400);
  assert.equal(excuses(300, 399), false, 'between two outages');
  outage.end(500);
  outage.begin(450);
  assert.equal(excuses(399, 401), true, 'the later of two overlapping outages does not hide the earlier one');
});
