import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTimeout } from './with-timeout.ts';

/** Timers that a test fires, and the pending ones. */
function newTimers() {
  const timers = new Set<() => void>();
  const schedule = (run: () => void) => {
    timers.add(run);
    return () => timers.delete(run);
  };
  return { timers, schedule };
}

test('a promise that resolves in time gives its result and cancels the timer', async () => {
  const { timers, schedule } = newTimers();
  assert.equal(await withTimeout(Promise.resolve('a'), 10, schedule), 'a');
  assert.equal(timers.size, 0);
});

test('a promise that rejects gives undefined immediately', async () => {
  const { timers, schedule } = newTimers();
  assert.equal(await withTimeout(Promise.reject(new Error('no')), 10, schedule), undefined);
  assert.equal(timers.size, 0);
});

test('a promise that does not settle in time gives undefined', async () => {
  const { timers, schedule } = newTimers();
  const result = withTimeout(new Promise(() => undefined), 10, schedule);
  for (const fire of timers) fire();
  assert.equal(await result, undefined);
});
