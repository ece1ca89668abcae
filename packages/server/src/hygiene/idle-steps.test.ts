import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay as day } from '@soku/contract/instant';
import { disableAt, dueStep } from './idle-steps.ts';

/** The times of the steps in days, if someone looks four times an hour. */
function stepsOf(days: number, { idleFor = 0, interval = day / 96 } = {}) {
  const warnings: { first: number | null; last: number | null } = { first: null, last: null };
  const steps: [string, number][] = [];
  for (let now = idleFor * day; ; now += interval) {
    const step = dueStep(0, days, warnings, now);
    if (step !== undefined) steps.push([step, now / day]);
    if (step === 'disable') return steps;
    if (step !== undefined) warnings[step] = now;
  }
}

test('warnings are due 14 and 3 days before a key is disabled, or at fractions of a short policy', () => {
  const expected = {
    90: [76, 87, 90],
    28: [14, 25, 28],
    12: [6, 9, 12],
    7: [3.5, 5.25, 7],
    1: [0.5, 0.75, 1],
  };
  for (const [days, times] of Object.entries(expected)) {
    const steps = ['first', 'last', 'disable'].map((step, i) => [step, times[i]]);
    assert.deepEqual(stepsOf(Number(days)), steps, `${days} days`);
  }
});

test('a key that was idle for longer when the policy was set gets both warnings in their full time', () => {
  assert.deepEqual(stepsOf(90, { idleFor: 400 }), [
    ['first', 400],
    ['last', 411],
    ['disable', 414],
  ]);
});

test('a late warning delays the disabling of the key', () => {
  assert.equal(disableAt(0, 90, { first: 76 * day, last: null }), 90 * day);
  assert.equal(disableAt(0, 90, { first: 80 * day, last: null }), 94 * day);
  assert.equal(disableAt(0, 90, { first: 76 * day, last: 89 * day }), 92 * day);
  assert.equal(dueStep(0, 90, { first: 76 * day, last: 89 * day }, 92 * day - 1), undefined);
  assert.equal(dueStep(0, 90, { first: 76 * day, last: 89 * day }, 92 * day), 'disable');
});
