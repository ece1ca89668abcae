import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterTime, minuteStart } from './cluster-time.ts';

const minute = 29_500_000;
const begin = minuteStart(minute);

function newTime() {
  const member = { id: 'a', lease: true, holds: () => member.lease };
  return { member, time: new ClusterTime(member) };
}

const look = { at: begin - 5000, nodes: 3, sharing: 2, isSharing: true };

test('a node that was counted before a minute has a share of it', () => {
  const { time } = newTime();
  time.update(look, 'a');
  assert.deepEqual([time.nodes, time.sharing(minute, begin), time.sharing(minute + 1, begin)], [3, 2, 0]);
  assert.deepEqual([time.idWithoutShare(minute), time.idWithoutShare(minute + 1)], [undefined, 'a']);
});

test('a node that was counted too early, or not at all, has no share', () => {
  for (const other of [{ at: begin - 10_001 }, { isSharing: false }]) {
    const { time } = newTime();
    time.update({ ...look, ...other }, 'a');
    assert.equal(time.sharing(minute, begin), 0);
    assert.equal(time.idWithoutShare(minute), 'a');
  }
});

test('a reading that arrives after the minute began changes nothing', () => {
  const late = newTime().time;
  late.of(begin);
  late.update(look, 'a');
  assert.equal(late.idWithoutShare(minute), 'a');
  const { time } = newTime();
  time.update(look, 'a');
  time.of(begin);
  time.update({ ...look, at: begin - 1, isSharing: false }, 'a');
  assert.deepEqual([time.sharing(minute, begin), time.idWithoutShare(minute)], [2, undefined]);
});

test('without a lease or under another ID a node has no share, and does not report that it had none', () => {
  const { time, member } = newTime();
  time.update(look, 'a');
  member.lease = false;
  assert.equal(time.sharing(minute, begin), 0);
  Object.assign(member, { lease: true, id: 'b' });
  assert.equal(time.sharing(minute, begin), 0);
  assert.equal(time.idWithoutShare(minute), undefined);
});

test('the offset to the database clock changes only as much as needed', () => {
  const { time } = newTime();
  const offset = (now: number) => time.of(now) - now;
  time.synchronize(5000, 1000, 1200);
  assert.equal(offset(1200), 3800, 'it was read when the response arrived, at the latest');
  time.synchronize(5900, 2000, 2300);
  assert.equal(offset(2300), 3800, 'which this response does not contradict');
  time.synchronize(7000, 3000, 3010);
  assert.equal(offset(3010), 3990);
});

test('time stands still for a step back of less than a second, and follows a larger one', () => {
  const { time } = newTime();
  assert.deepEqual(
    [time.of(10_000), time.of(9001), time.of(10_001), time.of(9000)],
    [10_000, 10_000, 10_001, 9000],
  );
});
