import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerHour } from '@soku/contract/instant';
import { calendarDays } from './calendar-days.ts';

const days = (at: string, count: number, zone: string) =>
  calendarDays(Math.floor(Date.parse(at) / msPerHour), count, zone).map((hour) =>
    new Date(hour * msPerHour).toISOString().slice(0, 16),
  );

for (const [at, zone, starts] of [
  ['2026-11-30T05:30Z', 'UTC', ['2026-11-28T00:00', '2026-11-29T00:00', '2026-11-30T00:00']],
  // Clocks go back on 25 October: that day has 25 hours.
  ['2026-10-26T12:00Z', 'Europe/Berlin', ['2026-10-23T22:00', '2026-10-24T22:00', '2026-10-25T23:00']],
  // Clocks go forward on 29 March: that day has 23 hours.
  ['2026-03-30T00:10Z', 'Europe/Berlin', ['2026-03-27T23:00', '2026-03-28T23:00', '2026-03-29T22:00']],
  ['2026-11-30T05:30Z', 'America/New_York', ['2026-11-28T05:00', '2026-11-29T05:00', '2026-11-30T05:00']],
  // The offset is 5:30, so the first hour begins half an hour after midnight.
  ['2026-11-30T05:30Z', 'Asia/Kolkata', ['2026-11-27T19:00', '2026-11-28T19:00', '2026-11-29T19:00']],
  // 30 December 2011 does not exist there.
  ['2011-12-31T12:00Z', 'Pacific/Apia', ['2011-12-29T10:00', '2011-12-30T10:00', '2011-12-31T10:00']],
] as const) {
  test(`the last days in ${zone} on ${at}`, () => {
    assert.deepEqual(days(at, 3, zone), starts);
  });
}
