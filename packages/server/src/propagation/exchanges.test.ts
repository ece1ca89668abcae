import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchanges, type Outcome } from './exchanges.ts';

/** Exchanges that a test ends by hand, with timers that it fires. */
function newExchanges() {
  const made: PromiseWithResolvers<Outcome<string>>[] = [];
  const timers: { run: () => void; delay: number }[] = [];
  const told: string[] = [];
  const exchanges = new Exchanges<string>(
    () => {
      const one = Promise.withResolvers<Outcome<string>>();
      made.push(one);
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
      failed: (error) => told.push(`failed: ${error}`),
      recovered: () => told.push('recovered'),
    },
  );
  const heard = () => new Promise((resolve) => setImmediate(resolve));
  /** Ends the exchange under way. */
  const end = (caughtUp: string | undefined, again = false) => {
    made.at(-1)?.resolve({ caughtUp, again });
    return heard();
  };
  const fail = () => {
    made.at(-1)?.reject('down');
    return heard();
  };
  const fire = () => timers.shift()?.run();
  const delays = () => timers.map(({ delay }) => delay);
  return { exchanges, made, told, heard, end, fail, fire, delays };
}

test('the next exchange comes after the interval', async () => {
  const { exchanges, made, end, fire, delays } = newExchanges();
  exchanges.wake();
  assert.deepEqual([made.length, delays()], [1, []]);
  await end('a');
  assert.deepEqual([made.length, delays()], [1, [400]]);
  fire();
  assert.equal(made.length, 2);
});

test('whoever asks while an exchange is under way gets the one after it, and all who ask share it', async () => {
  const { exchanges, made, end, delays } = newExchanges();
  exchanges.wake();
  const results: string[] = [];
  for (let asked = 0; asked < 3; asked += 1) void exchanges.next().then((result) => results.push(result));
  assert.equal(made.length, 1, 'never two at the same time');
  await end('sent before');
  assert.deepEqual([results, made.length], [[], 2]);
  await end('sent after');
  assert.deepEqual(results, ['sent after', 'sent after', 'sent after']);
  assert.deepEqual([made.length, delays()], [2, [400]]);
});

test('whoever asks again as soon as the answer is there does not wait for the interval', async () => {
  const { exchanges, made, end } = newExchanges();
  void exchanges.next().then(() => exchanges.next());
  await end('first');
  assert.equal(made.length, 2);
});

test('whoever waits goes on waiting until the node has caught up', async () => {
  const { exchanges, made, end } = newExchanges();
  let result = '';
  void exchanges.next().then((value) => {
    result = value;
  });
  await end(undefined, true);
  assert.deepEqual([result, made.length], ['', 2]);
  await end('caught up', true);
  assert.deepEqual([result, made.length], ['caught up', 3], 'and once more, to acknowledge');
});

test('failures are repeated ever more slowly, told once, and those who wait are kept', async () => {
  const { exchanges, made, told, end, fail, fire, delays } = newExchanges();
  let result = '';
  void exchanges.next().then((value) => {
    result = value;
  });
  const seen: number[] = [];
  for (let failures = 0; failures < 7; failures += 1) {
    await fail();
    exchanges.wake();
    assert.equal(made.length, failures + 1, 'nobody can hurry it');
    seen.push(...delays());
    fire();
  }
  assert.deepEqual(seen, [37.5, 75, 150, 300, 600, 750, 750]);
  assert.deepEqual(told, ['failed: down']);
  await end('up');
  assert.deepEqual([told, result], [['failed: down', 'recovered'], 'up']);
  fire();
  await fail();
  assert.deepEqual([told.length, delays()], [3, [37.5]], 'the next failure begins anew');
});

test('the stop waits for the exchange under way, and begins no other one', async () => {
  const { exchanges, made, heard, end, delays } = newExchanges();
  exchanges.wake();
  exchanges.wake();
  let stopped = false;
  const stop = exchanges.stop().then(() => {
    stopped = true;
  });
  await heard();
  assert.equal(stopped, false);
  await end('late', true);
  await stop;
  exchanges.wake();
  assert.deepEqual([made.length, delays()], [1, []]);
});

test('who is woken before the interval is over makes one exchange, not another one when it is', async () => {
  const { exchanges, made, end, delays } = newExchanges();
  exchanges.wake();
  await end('a');
  exchanges.wake();
  assert.deepEqual([made.length, delays()], [2, []]);
});

test('the stop takes the timer back', async () => {
  const { exchanges, end, delays } = newExchanges();
  exchanges.wake();
  await end('a');
  await exchanges.stop();
  assert.deepEqual(delays(), []);
});

test('a failure after the stop is not told', async () => {
  const { exchanges, told, fail, delays } = newExchanges();
  exchanges.wake();
  const stop = exchanges.stop();
  await fail();
  await stop;
  assert.deepEqual([told, delays()], [[], []]);
});
