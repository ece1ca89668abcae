import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import type { UsageDay, WorkspaceUsage } from '@soku/contract/usage';
import fc from 'fast-check';
import { axisMaximum, compareDays, dayHours, roundUp, yesterdaySoFar } from './day.ts';

function dayOf(from: number, accepted: number[], refused = 0): UsageDay {
  return {
    from: new Date(from).toISOString(),
    to: new Date(from + accepted.length * msPerHour).toISOString(),
    accepted: accepted.reduce((sum, count) => sum + count, 0),
    refused: refused * accepted.length,
    refusedBy: {},
    hours: accepted.map((count, index) => ({
      hour: new Date(from + index * msPerHour).toISOString(),
      accepted: count,
      refused,
      refusedBy: {},
    })),
  };
}

const midnight = Date.UTC(2026, 10, 28, 23);

function usageOf(today: number[], yesterday: number[]): WorkspaceUsage {
  return {
    today: dayOf(midnight, today),
    yesterday: dayOf(midnight - msPerDay, yesterday, 1),
    busiest: [],
    mostRefused: [],
  };
}

for (const [today, yesterday, words] of [
  [108, 100, '8% more than yesterday by this time'],
  [92, 100, '8% fewer than yesterday by this time'],
  [1, 1000, '99% fewer than yesterday by this time'],
  [1001, 1000, 'the same as yesterday by this time'],
  [490, 100, '390% more than yesterday by this time'],
  [500, 100, '5 times as many as yesterday by this time'],
  [1_000_000, 1, '1,000,000 times as many as yesterday by this time'],
  [0, 1200, 'today, and 1,200 yesterday by this time'],
  [3, 0, 'today, and none yesterday by this time'],
  [0, 0, 'today'],
] as const) {
  test(`${today} requests after ${yesterday} are ${words}`, () => {
    assert.equal(compareDays(today, yesterday), words);
  });
}

test('a day has 24 hours, of which those in the future have no numbers of today', () => {
  const hours = dayHours(usageOf([1, 2], new Array(24).fill(7)));
  assert.equal(hours.length, 24);
  assert.deepEqual(
    hours.map(({ today }) => today?.accepted),
    [1, 2, ...new Array(22).fill(undefined)],
  );
  assert.deepEqual(new Set(hours.map(({ yesterday }) => yesterday.accepted)), new Set([7]));
  assert.equal(hours[23]?.from, midnight + 23 * msPerHour);
});

test('the day on which daylight saving time ends has 25 hours', () => {
  const hours = dayHours(usageOf(new Array(25).fill(1), new Array(24).fill(1)));
  assert.equal(hours.length, 25);
  assert.deepEqual(hours[24]?.yesterday, { accepted: 0, refused: 0 });
});

test('yesterday counts until this time of the day, with a share of the current hour', () => {
  const hours = dayHours(usageOf([0, 0, 0], new Array(24).fill(9)));
  assert.equal(yesterdaySoFar(hours, midnight), 0);
  assert.equal(yesterdaySoFar(hours, midnight + 2 * msPerHour), 20);
  assert.equal(yesterdaySoFar(hours, midnight + 2.5 * msPerHour), 25);
  assert.equal(yesterdaySoFar(hours, midnight + 48 * msPerHour), 240);
});

test('a scale ends at or just above the largest number, and its four steps are whole numbers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (most) => {
      const top = axisMaximum(most);
      assert.ok(top >= most && top % 4 === 0, `${top}`);
      assert.ok(top <= Math.max(4, 1.7 * most), `${top} for ${most}`);
    }),
  );
});

for (const [most, rounded] of [
  [0, 0],
  [1, 1],
  [12, 12],
  [1187, 1200],
  [1201, 1300],
]) {
  test(`${most} is rounded up to ${rounded}`, () => {
    assert.equal(roundUp(most ?? 0), rounded);
  });
}
