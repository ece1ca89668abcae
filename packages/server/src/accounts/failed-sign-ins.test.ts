import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewEvent } from '../events/events.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

const ada = { id: 'usr_ada', name: 'Ada' };
const from = (address: string) => ({ address, userAgent: 'curl', requestId: 'req_1' });

function scene() {
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

test('failed sign-ins are one event for each account, address and minute', async () => {
  const { failed, events, clock, counts } = scene();
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
    events.map(({ at, action }) => [at, action]),
    [600_000, 600_000, 600_000, 660_000].map((at) => [at, 'account.sign_in_failed']),
  );
});

test('however many addresses guess, the number of events is bounded, and every guess is counted', async () => {
  const { failed, counts } = scene();
  for (let i = 0; i < 5000; i++) failed.add(undefined, from(`2001:db8::${i.toString(16)}`));
  await failed.stop();
  assert.equal(counts().length, 1001);
  assert.deepEqual(counts().at(-1), ['unknown', null, 4000]);
});

test('what could not be written is written later', async () => {
  const { failed, failures, storage, counts } = scene();
  failed.add(ada, from('192.0.2.1'));
  storage.broken = true;
  await failed.stop();
  assert.equal(failures.length, 1);
  storage.broken = false;
  await failed.stop();
  assert.deepEqual(counts(), [['usr_ada', '192.0.2.1', 1]]);
});
