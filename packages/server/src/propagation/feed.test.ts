import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from './feed.ts';
import type { Change, ClusterSnapshot } from './link.ts';

function change(seq: number, token = `t${seq}`): Change {
  return { seq, token, kind: 'key', subject: `key_${seq}`, hashes: [] };
}

function exchange(head: Change, changes: Change[]): ClusterSnapshot {
  return { registered: true, head, changes, nodes: [] };
}

/** A feed that has applied change 5, and the calls of its cache. */
function newFeed() {
  const told: string[] = [];
  const feed: Feed = new Feed({
    forget: ({ subject }) => told.push(`${subject} at ${feed.applied.seq}`),
    empty: () => told.push('everything'),
  });
  feed.startOver();
  feed.begin(change(5));
  told.length = 0;
  return { feed, told };
}

test('changes are forgotten one after the other, each before it counts as applied', () => {
  const { feed, told } = newFeed();
  assert.equal(feed.apply(exchange(change(7), [change(5), change(6), change(7)])), 'complete');
  assert.deepEqual(told, ['key_6 at 5', 'key_7 at 6']);
  assert.equal(feed.applied.seq, 7);
});

test('without a change there is nothing to compare but the head', () => {
  const { feed, told } = newFeed();
  assert.equal(feed.apply(exchange(change(5), [])), 'complete');
  assert.deepEqual(told, []);
});

test('an exchange that does not reach the head is partial', () => {
  const { feed } = newFeed();
  assert.equal(feed.apply(exchange(change(9), [change(5), change(6)])), 'partial');
  assert.equal(feed.applied.seq, 6);
});

const broken = {
  'the row is gone': { ...exchange(change(5), [change(5)]), registered: false },
  'the change applied last was pruned': exchange(change(6), [change(6)]),
  'all changes were pruned': exchange(change(6), []),
  'the next one is missing': exchange(change(6), [change(5)]),
  'one between is missing': exchange(change(8), [change(5), change(6), change(8)]),
  'the change applied last is another one': exchange(change(6), [change(5, 'other'), change(6)]),
  'the head is another change of the same number': exchange(change(5, 'other'), [change(5, 'other')]),
  'the head is another one than the last change': exchange(change(6, 'other'), [change(5), change(6)]),
  'the head is behind': exchange(change(4), []),
};

for (const [what, answer] of Object.entries(broken)) {
  test(`the feed is broken when ${what}`, () => {
    assert.equal(newFeed().feed.apply(answer), 'broken');
  });
}

test('a read may be kept when its snapshot has all that was applied', () => {
  const { feed } = newFeed();
  const ticket = feed.beginRead();
  assert.equal(feed.mayKeep(ticket, change(4)), false, 'older');
  assert.equal(feed.mayKeep(ticket, change(5)), true, 'as new');
  assert.equal(feed.mayKeep(ticket, change(5, 'other')), false, 'of the same number, before a failover');
  assert.equal(feed.mayKeep(ticket, change(6)), true, 'newer');
  feed.apply(exchange(change(7), [change(5), change(6), change(7)]));
  assert.equal(feed.mayKeep(ticket, change(6)), false, 'older by now');
});

test('a read that began before everything was forgotten, or before the registration, is not kept', () => {
  const { feed, told } = newFeed();
  const before = feed.beginRead();
  feed.startOver();
  assert.deepEqual([told, feed.registered], [['everything'], false]);
  const between = feed.beginRead();
  assert.equal(feed.mayKeep(between, change(9)), false);
  feed.begin(change(5));
  assert.equal(feed.mayKeep(before, change(9)), false);
  assert.equal(feed.mayKeep(between, change(9)), false);
  assert.equal(feed.mayKeep(feed.beginRead(), change(9)), true);
});
