import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewEvent } from '../events/events.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

const ada = { id: 'usr_ada', name: 'Ada' };
const from = (address: string) => ({ address, userAgent: 'curl', requestId: 'req_1' });

function setUp() {
  const events: NewEvent[] = [];
  const clock = { now: 600_000 };
  const failures: unknown[] = [];
  const storage = { broken: false };
  const failed = new FailedSignIns({
    append: async (some) => {
      if (storage.broken) throw new Error('no database');
      events.push(...some);
    },
    failed: (error) => failures.push(error),
    now: () => clock.now,
  });
  const counts = () => events.map(({ target, actor, details }) => [target.id, actor.address, details?.count]);
  return { failed, events, clock, failures, storage, counts };
}

test('failed sign-ins become one event per account, network and minute', async () => {
  const { failed, events, clock, counts } = setUp();
  for (let i = 0; i < 3; i++) failed.add(ada, from('192.0.2.1'));
  failed.add(ada, from('192.0.2.2'));
  failed.add(undefined, from('192.0.2.1'));
  clock.now += 60_000;
  failed.add(ada, from('192.0.2.1'));
  await failed.stop();
  assert.deepEqual(counts(), [
    ['usr_ada', '192.0.2.1', 3],
    ['usr_ada', '192.0.2.2', 1],
    ['unknown', '192.0.2.1', 1],
    ['usr_ada', '192.0.2.1', 1],
  ]);
  assert.deepEqual(
    events.map(({ action }) => action),
    Array<string>(4).fill('account.sign_in_failed'),
  );
});

test('an event has the time at which it is written, and its details have the time of the last attempt', async () => {
  const { failed, events, clock } = setUp();
  failed.add(ada, from('192.0.2.1'));
  clock.now += 20_000;
  failed.add(ada, from('192.0.2.1'));
  clock.now += 44_000;
  await failed.stop();
  assert.deepEqual(
    events.map(({ at, details }) => [at, details]),
    [[664_000, { count: 2, lastAttemptAt: '1970-01-01T00:10:20.000Z' }]],
  );
});

test('all addresses of a network share one event, with the first address and the network', async () => {
  const { failed, events, counts } = setUp();
  for (let i = 1; i <= 5000; i++) failed.add(undefined, from(`2001:db8::${i.toString(16)}`));
  failed.add(undefined, from('2001:db8:0:1::1'));
  failed.add(undefined, from('::ffff:192.0.2.1'));
  failed.add(undefined, from('192.0.2.1'));
  await failed.stop();
  assert.deepEqual(counts(), [
    ['unknown', '2001:db8::1', 5000],
    ['unknown', '2001:db8:0:1::1', 1],
    ['unknown', '::ffff:192.0.2.1', 2],
  ]);
  assert.deepEqual(
    events.map(({ details }) => details?.network),
    ['2001:db8:0:0::/64', '2001:db8:0:1::/64', '192.0.2.1'],
  );
});

test('the number of events is bounded for any number of networks, and every guess is counted', async () => {
  const { failed, counts } = setUp();
  for (let i = 0; i < 5000; i++) failed.add(undefined, from(`2001:db8:${i.toString(16)}::1`));
  await failed.stop();
  assert.equal(counts().length, 1001);
  assert.deepEqual(counts().at(-1), ['unknown', null, 4000]);
});

test('counts that cannot be written are written later', async () => {
  const { failed, failures, storage, counts } = setUp();
  failed.add(ada, from('192.0.2.1'));
  storage.broken = true;
  await failed.stop();
  assert.equal(failures.length, 1);
  storage.broken = false;
  await failed.stop();
  assert.deepEqual(counts(), [['usr_ada', '192.0.2.1', 1]]);
});
