import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from './within.ts';

/** A timer that a test fires, and how many are waiting. */
function newTimers() {
  const timers = new Set<() => void>();
  const later = (run: () => void) => {
    timers.add(run);
    return () => timers.delete(run);
  };
  return { timers, later };
}

test('a promise that resolves in time gives its result, and takes the timer back', async () => {
  const { timers, later } = newTimers();
  assert.equal(await within(Promise.resolve('a'), 10, later), 'a');
  assert.equal(timers.size, 0);
});

test('a promise that rejects gives nothing at once', async () => {
  const { timers, later } = newTimers();
  assert.equal(await within(Promise.reject(new Error('no')), 10, later), undefined);
  assert.equal(timers.size, 0);
});

test('a promise that does not end in time gives nothing', async () => {
  const { timers, later } = newTimers();
  const result = within(new Promise(() => undefined), 10, later);
  for (const fire of timers) fire();
  assert.equal(await result, undefined);
});
