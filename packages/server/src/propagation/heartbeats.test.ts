import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HeartbeatOutcome, Heartbeats } from './heartbeats.ts';

/** Heartbeats that a test completes by hand, with timers that it fires. */
function newHeartbeats() {
  const started: PromiseWithResolvers<HeartbeatOutcome<string>>[] = [];
  const timers: { run: () => void; delay: number }[] = [];
  const calls: string[] = [];
  const heartbeats = new Heartbeats<string>(
    () => {
      const one = Promise.withResolvers<HeartbeatOutcome<string>>();
      started.push(one);
      return one.promise;
    },
    {
      interval: 400,
      schedule: (run, delay) => {
        const timer = { run, delay };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
      },
      random: () => 0.5,
      failed: (error) => calls.push(`failed: ${error}`),
      recovered: () => calls.push('recovered'),
    },
  );
  const flush = () => new Promise((resolve) => setImmediate(resolve));
  /** Completes the running heartbeat. */
  const end = (caughtUp: string | undefined, again = false) => {
    started.at(-1)?.resolve({ caughtUp, again });
    return flush();
  };
  const fail = () => {
    started.at(-1)?.reject('down');
    return flush();
  };
  const fire = () => timers.shift()?.run();
  const delays = () => timers.map(({ delay }) => delay);
  return { heartbeats, started, calls, flush, end, fail, fire, delays };
}

test('the next heartbeat starts after the interval', async () => {
  const { heartbeats, started, end, fire, delays } = newHeartbeats();
  heartbeats.wake();
  assert.deepEqual([started.length, delays()], [1, []]);
  await end('a');
  assert.deepEqual([started.length, delays()], [1, [400]]);
  fire();
  assert.equal(started.length, 2);
});

test('callers that arrive while a heartbeat is running share the one after it', async () => {
  const { heartbeats, started, end, delays } = newHeartbeats();
  heartbeats.wake();
  const results: string[] = [];
  for (let count = 0; count < 3; count += 1) void heartbeats.next().then((result) => results.push(result));
  assert.equal(started.length, 1, 'never two at a time');
  await end('sent before');
  assert.deepEqual([results, started.length], [[], 2]);
  await end('sent after');
  assert.deepEqual(results, ['sent after', 'sent after', 'sent after']);
  assert.deepEqual([started.length, delays()], [2, [400]]);
});

test('a request made on completion of a heartbeat does not wait for the interval', async () => {
  const { heartbeats, started, end } = newHeartbeats();
  void heartbeats.next().then(() => heartbeats.next());
  await end('first');
  assert.equal(started.length, 2);
});

test('callers keep waiting until the node has caught up', async () => {
  const { heartbeats, started, end } = newHeartbeats();
  let result = '';
  void heartbeats.next().then((value) => {
    result = value;
  });
  await end(undefined, true);
  assert.deepEqual([result, started.length], ['', 2]);
  await end('caught up', true);
  assert.deepEqual([result, started.length], ['caught up', 3], 'one more heartbeat, to acknowledge');
});

test('failures are retried with backoff and reported once, and callers keep waiting', async () => {
  const { heartbeats, started, calls, end, fail, fire, delays } = newHeartbeats();
  let result = '';
  void heartbeats.next().then((value) => {
    result = value;
  });
  const seen: number[] = [];
  for (let failures = 0; failures < 7; failures += 1) {
    await fail();
    heartbeats.wake();
    assert.equal(started.length, failures + 1, 'wake does not skip the backoff');
    seen.push(...delays());
    fire();
  }
  assert.deepEqual(seen, [37.5, 75, 150, 300, 600, 750, 750]);
  assert.deepEqual(calls, ['failed: down']);
  await end('up');
  assert.deepEqual([calls, result], [['failed: down', 'recovered'], 'up']);
  fire();
  await fail();
  assert.deepEqual([calls.length, delays()], [3, [37.5]], 'the next failure starts the backoff again');
});

test('when the database responds again, the next heartbeat waits for no backoff, even if the running one fails', async () => {
  const { heartbeats, started, fail, delays } = newHeartbeats();
  heartbeats.wake();
  await fail();
  heartbeats.retryNow();
  assert.deepEqual([started.length, delays()], [2, []]);
  heartbeats.retryNow();
  await fail();
  assert.deepEqual([started.length, delays()], [3, []]);
  await fail();
  assert.deepEqual([started.length, delays()], [3, [150]]);
});

test('stop waits for the running heartbeat and starts no other', async () => {
  const { heartbeats, started, flush, end, delays } = newHeartbeats();
  heartbeats.wake();
  heartbeats.wake();
  let stopped = false;
  const stop = heartbeats.stop().then(() => {
    stopped = true;
  });
  await flush();
  assert.equal(stopped, false);
  await end('late', true);
  await stop;
  heartbeats.wake();
  assert.deepEqual([started.length, delays()], [1, []]);
});

test('a wake before the end of the interval replaces the scheduled heartbeat', async () => {
  const { heartbeats, started, end, delays } = newHeartbeats();
  heartbeats.wake();
  await end('a');
  heartbeats.wake();
  assert.deepEqual([started.length, delays()], [2, []]);
});

test('stop cancels the timer', async () => {
  const { heartbeats, end, delays } = newHeartbeats();
  heartbeats.wake();
  await end('a');
  await heartbeats.stop();
  assert.deepEqual(delays(), []);
});

test('a failure after stop is not reported', async () => {
  const { heartbeats, calls, fail, delays } = newHeartbeats();
  heartbeats.wake();
  const stop = heartbeats.stop();
  await fail();
  await stop;
  assert.deepEqual([calls, delays()], [[], []]);
});
