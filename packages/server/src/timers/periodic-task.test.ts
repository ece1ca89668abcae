import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { PeriodicTask } from './periodic-task.ts';

/** A periodic job whose runs a test completes by hand, and a timer that a test fires. */
function repeated(interval: number) {
  const waiting: { run: () => void; delay: number; canceled: boolean }[] = [];
  const runs: PromiseWithResolvers<void>[] = [];
  const failures: unknown[] = [];
  const clock = { ms: 0 };
  const repeating = new PeriodicTask(
    () => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      return run.promise;
    },
    {
      interval,
      failed: (error) => failures.push(error),
      monotonic: () => clock.ms,
      schedule: (run, delay) => {
        const timer = { run, delay, canceled: false };
        waiting.push(timer);
        return () => {
          timer.canceled = true;
        };
      },
    },
  );
  /** Waits until the handlers of settled promises have run. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { repeating, waiting, runs, failures, clock, settle };
}

const locked = new DatabaseUnavailable(new Error('database is locked'), { code: 'locked', rolledBack: true });

/** A job with `run`, which completes the next run, with an error or without, and returns the delay until the one after it. */
function withRun() {
  const job = repeated(5000);
  const run = async (error?: Error) => {
    job.waiting.at(-1)?.run();
    if (error === undefined) job.runs.at(-1)?.resolve();
    else job.runs.at(-1)?.reject(error);
    await job.settle();
    return job.waiting.at(-1)?.delay;
  };
  return { ...job, run };
}

test('a run starts one interval after the end of the previous run', async () => {
  const { repeating, waiting, runs, settle } = repeated(5000);
  repeating.start();
  assert.deepEqual([waiting.length, waiting[0]?.delay, runs.length], [1, 5000, 0]);
  waiting[0]?.run();
  await settle();
  assert.deepEqual([waiting.length, runs.length], [1, 1], 'no timer is pending during a run');
  runs[0]?.resolve();
  await settle();
  assert.deepEqual([waiting.length, waiting[1]?.delay], [2, 5000]);
});

test('the first run can have a different delay', () => {
  const { repeating, waiting } = repeated(5000);
  repeating.start(0);
  assert.equal(waiting[0]?.delay, 0);
});

test('a run that fails after the stop is not reported, because no other run follows', async () => {
  const { repeating, waiting, runs, failures } = repeated(5000);
  repeating.start();
  waiting[0]?.run();
  const stopped = repeating.stop();
  runs[0]?.reject('a');
  await stopped;
  assert.deepEqual(failures, []);
  assert.equal(repeating.failures, 1);
  assert.equal(waiting.length, 1);
});

test('a failure is reported once until a run succeeds, and the job runs again', async () => {
  const { repeating, waiting, runs, failures, settle } = repeated(5000);
  repeating.start();
  for (const [i, failure] of ['a', 'b', null, 'c'].entries()) {
    waiting[i]?.run();
    if (failure === null) runs[i]?.resolve();
    else runs[i]?.reject(failure);
    await settle();
  }
  assert.deepEqual(failures, ['a', 'c']);
  assert.equal(waiting.length, 5);
});

test('a lock of another program is a failure only if it lasts a second', async () => {
  const { repeating, run, failures, clock } = withRun();
  repeating.start();
  assert.equal(await run(locked), 100, 'it runs again soon');
  assert.equal(await run(), 5000);
  clock.ms = 10_000;
  assert.equal(await run(locked), 100, 'another lock is short again');
  clock.ms = 10_999;
  assert.equal(await run(locked), 100);
  assert.deepEqual([failures, repeating.failures], [[], 0]);
  clock.ms = 11_000;
  assert.equal(await run(locked), 5000);
  assert.deepEqual([failures, repeating.failures], [[locked], 1]);
});

test('after another kind of failure, the time of a lock starts over', async () => {
  const { repeating, run, failures, clock } = withRun();
  const other = new Error('disk full');
  repeating.start();
  assert.equal(await run(locked), 100);
  clock.ms = 500;
  assert.equal(await run(other), 5000);
  clock.ms = 5500;
  assert.equal(await run(locked), 100, 'the time of the new lock starts here');
  clock.ms = 6500;
  assert.equal(await run(locked), 5000);
  assert.deepEqual([failures, repeating.failures], [[other], 2]);
});

test('stop cancels the next run and waits for the current one', async () => {
  const idle = repeated(5000);
  idle.repeating.start();
  await idle.repeating.stop();
  assert.equal(idle.waiting[0]?.canceled, true);

  const busy = repeated(5000);
  busy.repeating.start();
  busy.waiting[0]?.run();
  let stopped = false;
  const stop = busy.repeating.stop().then(() => {
    stopped = true;
  });
  await busy.settle();
  assert.equal(stopped, false);
  busy.runs[0]?.resolve();
  await stop;
  assert.equal(busy.waiting.length, 1, 'no further run');
});
