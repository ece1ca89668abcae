import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HeartbeatOutcome, Heartbeats } from './heartbeats.ts';

/** Heartbeats that a test completes by hand, with timers that it fires. */
function newExchanges() {
  const started: PromiseWithResolvers<HeartbeatOutcome<string>>[] = [];
  const timers: { run: () => void; delay: number }[] = [];
  const calls: string[] = [];
  const exchanges = new Heartbeats<string>(
    () => {
      const one = Promise.withResolvers<HeartbeatOutcome<string>>();
      started.push(one);
      return one.promise;
    },
    {
      interval: 400,
      later: (run, delay) => {
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
  return { exchanges, started, calls, flush, end, fail, fire, delays };
}

test('the next heartbeat starts after the interval', async () => {
  const { exchanges, started, end, fire, delays } = newExchanges();
  exchanges.wake();
  assert.deepEqual([started.length, delays()], [1, []]);
  await end('a');
  assert.deepEqual([started.length, delays()], [1, [400]]);
  fire();
  assert.equal(started.length, 2);
});

test('callers that arrive while a heartbeat is running share the one after it', async () => {
  const { exchanges, started, end, delays } = newExchanges();
  exchanges.wake();
  const results: string[] = [];
  for (let count = 0; count < 3; count += 1) void exchanges.next().then((result) => results.push(result));
  assert.equal(started.length, 1, 'never two at a time');
  await end('sent before');
  assert.deepEqual([results, started.length], [[], 2]);
  await end('sent after');
  assert.deepEqual(results, ['sent after', 'sent after', 'sent after']);
  assert.deepEqual([started.length, delays()], [2, [400]]);
});

test('a request made on completion of a heartbeat does not wait for the interval', async () => {
  const { exchanges, started, end } = newExchanges();
  void exchanges.next().then(() => exchanges.next());
  await end('first');
  assert.equal(started.length, 2);
});

test('callers keep waiting until the node has caught up', async () => {
  const { exchanges, started, end } = newExchanges();
  let result = '';
  void exchanges.next().then((value) => {
    result = value;
  });
  await end(undefined, true);
  assert.deepEqual([result, started.length], ['', 2]);
  await end('caught up', true);
  assert.deepEqual([result, started.length], ['caught up', 3], 'one more heartbeat, to acknowledge');
});

test('failures are retried with backoff and reported once, and callers keep waiting', async () => {
  const { exchanges, started, calls, end, fail, fire, delays } = newExchanges();
  let result = '';
  void exchanges.next().then((value) => {
    result = value;
  });
  const seen: number[] = [];
  for (let failures = 0; failures < 7; failures += 1) {
    await fail();
    exchanges.wake();
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

test('stop waits for the running heartbeat and starts no other', async () => {
  const { exchanges, started, flush, end, delays } = newExchanges();
  exchanges.wake();
  exchanges.wake();
  let stopped = false;
  const stop = exchanges.stop().then(() => {
    stopped = true;
  });
  await flush();
  assert.equal(stopped, false);
  await end('late', true);
  await stop;
  exchanges.wake();
  assert.deepEqual([started.length, delays()], [1, []]);
});

test('a wake before the end of the interval replaces the scheduled heartbeat', async () => {
  const { exchanges, started, end, delays } = newExchanges();
  exchanges.wake();
  await end('a');
  exchanges.wake();
  assert.deepEqual([started.length, delays()], [2, []]);
});

test('stop cancels the timer', async () => {
  const { exchanges, end, delays } = newExchanges();
  exchanges.wake();
  await end('a');
  await exchanges.stop();
  assert.deepEqual(delays(), []);
});

test('a failure after stop is not reported', async () => {
  const { exchanges, calls, fail, delays } = newExchanges();
  exchanges.wake();
  const stop = exchanges.stop();
  await fail();
  await stop;
  assert.deepEqual([calls, delays()], [[], []]);
});
