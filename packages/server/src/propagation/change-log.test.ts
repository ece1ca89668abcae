import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeLog } from './change-log.ts';
import type { ChangeEntry, ClusterSnapshot } from './cluster-store.ts';

function change(seq: number, token = `t${seq}`): ChangeEntry {
  return { seq, token, kind: 'key', subject: `key_${seq}`, hashes: [] };
}

function snapshot(head: ChangeEntry, changes: ChangeEntry[]): ClusterSnapshot {
  return { registered: true, head, changes, nodes: [], instance: '' };
}

/** A change log that has applied change 5, and the calls to its cache. */
function newChangeLog() {
  const calls: string[] = [];
  const changeLog: ChangeLog = new ChangeLog({
    evict: ({ subject }) => calls.push(`${subject} at ${changeLog.applied.seq}`),
    clear: () => calls.push('everything'),
  });
  changeLog.reset();
  changeLog.begin(change(5));
  calls.length = 0;
  return { changeLog, calls };
}

test('changes are evicted one by one, each before it counts as applied', () => {
  const { changeLog, calls } = newChangeLog();
  assert.equal(changeLog.apply(snapshot(change(7), [change(5), change(6), change(7)])), 'complete');
  assert.deepEqual(calls, ['key_6 at 5', 'key_7 at 6']);
  assert.equal(changeLog.applied.seq, 7);
});

test('without a new change only the head is compared', () => {
  const { changeLog, calls } = newChangeLog();
  assert.equal(changeLog.apply(snapshot(change(5), [])), 'complete');
  assert.deepEqual(calls, []);
});

test('a snapshot that does not reach the head is partial', () => {
  const { changeLog } = newChangeLog();
  assert.equal(changeLog.apply(snapshot(change(9), [change(5), change(6)])), 'partial');
  assert.equal(changeLog.applied.seq, 6);
});

const broken = {
  'the row of the node is gone': { ...snapshot(change(5), [change(5)]), registered: false },
  'the last applied change was pruned': snapshot(change(6), [change(6)]),
  'all changes were pruned': snapshot(change(6), []),
  'the next change is missing': snapshot(change(6), [change(5)]),
  'a change in between is missing': snapshot(change(8), [change(5), change(6), change(8)]),
  'the last applied change has another token': snapshot(change(6), [change(5, 'other'), change(6)]),
  'the head has the same number but another token': snapshot(change(5, 'other'), [change(5, 'other')]),
  'the head and the last change have different tokens': snapshot(change(6, 'other'), [change(5), change(6)]),
  'the head is older than the last applied change': snapshot(change(4), []),
};

for (const [what, response] of Object.entries(broken)) {
  test(`the change log is broken when ${what}`, () => {
    assert.equal(newChangeLog().changeLog.apply(response), 'broken');
  });
}

test('a read may be cached when its snapshot includes every applied change', () => {
  const { changeLog } = newChangeLog();
  const ticket = changeLog.beginRead();
  assert.equal(changeLog.mayCache(ticket, change(4)), false, 'older');
  assert.equal(changeLog.mayCache(ticket, change(5)), true, 'as recent');
  assert.equal(changeLog.mayCache(ticket, change(5, 'other')), false, 'same number, before a failover');
  assert.equal(changeLog.mayCache(ticket, change(6)), true, 'newer');
  changeLog.apply(snapshot(change(7), [change(5), change(6), change(7)]));
  assert.equal(changeLog.mayCache(ticket, change(6)), false, 'older than the applied changes by now');
});

test('a read that began before the cache was emptied, or before the registration, is not cached', () => {
  const { changeLog, calls } = newChangeLog();
  const before = changeLog.beginRead();
  changeLog.reset();
  assert.deepEqual([calls, changeLog.registered], [['everything'], false]);
  const between = changeLog.beginRead();
  assert.equal(changeLog.mayCache(between, change(9)), false);
  changeLog.begin(change(5));
  assert.equal(changeLog.mayCache(before, change(9)), false);
  assert.equal(changeLog.mayCache(between, change(9)), false);
  assert.equal(changeLog.mayCache(changeLog.beginRead(), change(9)), true);
});
