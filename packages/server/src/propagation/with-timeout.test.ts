import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTimeout } from './with-timeout.ts';

/** Timers that a test fires, and the pending ones. */
function newTimers() {
  const timers = new Set<() => void>();
  const later = (run: () => void) => {
    timers.add(run);
    return () => timers.delete(run);
  };
  return { timers, later };
}

test('a promise that resolves in time gives its result and cancels the timer', async () => {
  const { timers, later } = newTimers();
  assert.equal(await withTimeout(Promise.resolve('a'), 10, later), 'a');
  assert.equal(timers.size, 0);
});

test('a promise that rejects gives undefined immediately', async () => {
  const { timers, later } = newTimers();
  assert.equal(await withTimeout(Promise.reject(new Error('no')), 10, later), undefined);
  assert.equal(timers.size, 0);
});

test('a promise that does not settle in time gives undefined', async () => {
  const { timers, later } = newTimers();
  const result = withTimeout(new Promise(() => undefined), 10, later);
  for (const fire of timers) fire();
  assert.equal(await result, undefined);
});
