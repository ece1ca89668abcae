/** The chart on days of 23 and 25 hours, and in zones where an hour begins at a quarter past. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerHour } from '@soku/contract/instant';
import { dayNumber, localTime } from '../../../../dates/zone.ts';
import { chartTicks, formatSlot, toSlots } from './slots.ts';

/** The server's response: this many UTC hours, up to and including the hour of `now`. */
function hoursTo(now: number, count: number) {
  const last = Math.floor(now / msPerHour);
  return Array.from({ length: count }, (_, index) => ({
    from: new Date((last - count + 1 + index) * msPerHour).toISOString(),
    to: new Date((last - count + 2 + index) * msPerHour).toISOString(),
    accepted: 1,
    refused: 0,
    refusedBy: {},
  }));
}

const changes = [
  { zone: 'Europe/Berlin', spring: '2026-03-29', autumn: '2026-10-25' },
  { zone: 'America/Havana', spring: '2026-03-08', autumn: '2026-11-01' },
  { zone: 'Africa/Cairo', spring: '2026-04-24', autumn: '2026-10-29' },
  { zone: 'Australia/Lord_Howe', spring: '2026-10-04', autumn: '2026-04-05' },
  { zone: 'Pacific/Chatham', spring: '2026-09-27', autumn: '2026-04-05' },
  { zone: 'Asia/Kathmandu', spring: '2026-03-29', autumn: '2026-10-25' },
].flatMap(({ zone, spring, autumn }) => [spring, autumn].map((day) => ({ zone, day })));

for (const { zone, day } of changes) {
  // Late on that day in every zone.
  const now = Date.parse(`${day}T12:00Z`) + 11 * msPerHour;

  test(`${zone}, ${day}: every hour has a unique name`, () => {
    const slots = toSlots(hoursTo(now, 7 * 24));
    assert.equal(slots.length, 7 * 24);
    const names = slots.map((slot) => formatSlot(slot, '7d', zone));
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });

  test(`${zone}, ${day}: each quarter of a day has one tick, at its first hour`, () => {
    const slots = toSlots(hoursTo(now, 48));
    const ticks = chartTicks(slots, '24h', zone).map(({ slot }) => localTime(slots[slot]?.from ?? 0, zone));
    const quarterOf = ({ day, hour }: { day: number; hour: number }) => `${day}, ${Math.floor(hour / 6)}`;
    const all = [...new Set(slots.map(({ from }) => quarterOf(localTime(from, zone))))];
    const quarters = ticks.map(quarterOf);
    // The first quarter may begin before the first hour shown.
    assert.deepEqual(quarters, quarters.length === all.length ? all : all.slice(1));
    for (const { hour } of ticks) assert.ok(hour % 6 <= 1, `a tick at ${hour}`);
  });

  test(`${zone}, ${day}: each day has one tick in 7 days`, () => {
    const week = toSlots(hoursTo(now, 7 * 24));
    const days = chartTicks(week, '7d', zone).map(({ slot }) => dayNumber(week[slot]?.from ?? 0, zone));
    const last = dayNumber(week.at(-1)?.from ?? 0, zone);
    assert.deepEqual(
      days.slice(-6),
      [5, 4, 3, 2, 1, 0].map((before) => last - before),
    );
    assert.equal(new Set(days).size, days.length);
  });
}
