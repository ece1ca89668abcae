import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerHour } from '@soku/contract/instant';
import fc from 'fast-check';
import { relativeTime } from './dates.ts';
import { dayNumber, hoursInDays, localTime, offsetZone, startOfDay, toInstants, utcOffset } from './zone.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/Havana',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
];
const anyZone = fc.constantFrom(...zones);
const anyMinute = fc
  .integer({ min: Date.UTC(2000, 0), max: Date.UTC(2060, 0) })
  .map((at) => at - (at % 60_000));

for (const { zone, now, at, says } of [
  // 25 and 40 hours ago are both the day before yesterday.
  { zone: 'Europe/Berlin', now: '2026-03-04T00:30+01:00', at: '2026-03-02T23:30+01:00', says: '2 days ago' },
  { zone: 'Europe/Berlin', now: '2026-03-04T10:00+01:00', at: '2026-03-02T18:00+01:00', says: '2 days ago' },
  { zone: 'Europe/Berlin', now: '2026-03-04T18:00+01:00', at: '2026-03-03T08:00+01:00', says: 'yesterday' },
  { zone: 'Europe/Berlin', now: '2026-03-04T08:00+01:00', at: '2026-03-05T18:00+01:00', says: 'tomorrow' },
  { zone: 'Europe/Berlin', now: '2026-03-04T22:00+01:00', at: '2026-03-05T01:00+01:00', says: 'in 3 hours' },
  // The same two instants are one day apart in one zone and two days apart in the other.
  { zone: 'UTC', now: '2026-03-04T00:30Z', at: '2026-03-05T23:30Z', says: 'tomorrow' },
  { zone: 'Asia/Kathmandu', now: '2026-03-04T00:30Z', at: '2026-03-05T23:30Z', says: 'in 2 days' },
  // On a day of 25 hours, 24.5 hours later is still today. On a day of 23 hours, 23.5 hours later is tomorrow.
  { zone: 'Europe/Berlin', now: '2026-10-25T00:10+02:00', at: '2026-10-25T23:40+01:00', says: 'in 24 hours' },
  { zone: 'Europe/Berlin', now: '2026-03-29T00:10+01:00', at: '2026-03-30T00:10+02:00', says: 'in 23 hours' },
  { zone: 'Europe/Berlin', now: '2026-03-28T12:00+01:00', at: '2026-03-30T11:00+02:00', says: 'in 2 days' },
  { zone: 'UTC', now: '2026-03-01T12:00Z', at: '2026-03-09T12:00Z', says: 'in 8 days' },
  { zone: 'UTC', now: '2026-03-01T12:00Z', at: '2026-03-15T00:00Z', says: 'in 2 weeks' },
  { zone: 'UTC', now: '2026-01-31T12:00Z', at: '2026-02-28T12:00Z', says: 'in 4 weeks' },
  { zone: 'UTC', now: '2026-01-31T12:00Z', at: '2026-03-02T12:00Z', says: 'in 1 month' },
  { zone: 'UTC', now: '2026-03-31T12:00Z', at: '2026-02-28T12:00Z', says: '1 month ago' },
  { zone: 'UTC', now: '2027-03-01T12:00Z', at: '2026-03-02T12:00Z', says: '11 months ago' },
  { zone: 'UTC', now: '2027-03-01T12:00Z', at: '2026-03-01T00:00Z', says: '1 year ago' },
  { zone: 'UTC', now: '2026-03-01T12:00:00Z', at: '2026-03-01T11:59:30Z', says: 'just now' },
  { zone: 'UTC', now: '2026-03-01T12:00:00Z', at: '2026-03-01T12:00:30Z', says: 'in a moment' },
  { zone: 'UTC', now: '2026-03-01T12:00:00Z', at: '9999-12-31T23:59:59Z', says: 'in 7,973 years' },
]) {
  test(`at ${now} in ${zone}, ${at} is ${says}`, () => {
    assert.equal(relativeTime(at, Date.parse(now), zone), says);
  });
}

test('a local time converts back to its instant, in every zone and across every clock change', () => {
  fc.assert(
    fc.property(anyZone, anyMinute, (zone, at) => {
      const instants = toInstants(localTime(at, zone), zone);
      assert.ok(instants.includes(at));
      assert.ok(instants.length <= 2);
      for (const each of instants) assert.deepEqual(localTime(each, zone), localTime(at, zone));
    }),
  );
});

test('a skipped hour has no instant, and an hour that occurs twice has two', () => {
  const at = (hour: number, minute: number, month: number, day: number, zone: string) =>
    toInstants({ year: 2026, month, day, hour, minute }, zone).map((instant) =>
      new Date(instant).toISOString(),
    );
  assert.deepEqual(at(2, 30, 3, 29, 'Europe/Berlin'), []);
  assert.deepEqual(at(2, 30, 10, 25, 'Europe/Berlin'), [
    '2026-10-25T00:30:00.000Z',
    '2026-10-25T01:30:00.000Z',
  ]);
  assert.deepEqual(at(0, 0, 3, 8, 'America/Havana'), []);
  assert.deepEqual(at(0, 30, 11, 1, 'America/Havana'), [
    '2026-11-01T04:30:00.000Z',
    '2026-11-01T05:30:00.000Z',
  ]);
  assert.deepEqual(at(2, 15, 10, 4, 'Australia/Lord_Howe'), []);
  assert.deepEqual(at(1, 45, 4, 5, 'Australia/Lord_Howe').length, 2);
});

test('the hours of the last 30 days begin on the first of those days', () => {
  fc.assert(
    fc.property(anyZone, anyMinute, (zone, now) => {
      const current = now - (now % msPerHour);
      const first = current - (hoursInDays(30, now, zone) - 1) * msPerHour;
      assert.equal(dayNumber(current, zone) - dayNumber(first, zone), 29);
      assert.equal(dayNumber(current, zone) - dayNumber(first - msPerHour, zone), 30);
    }),
  );
  // Today has no midnight in this zone; the previous days do.
  const changed = Date.parse('2026-03-08T20:00Z');
  const first = changed - (hoursInDays(30, changed, 'America/Havana') - 1) * msPerHour;
  assert.deepEqual(localTime(first, 'America/Havana'), { year: 2026, month: 2, day: 7, hour: 0, minute: 0 });
});

test('offsets include the quarter hours of a zone', () => {
  assert.equal(utcOffset(Date.UTC(2026, 6), 'Asia/Kathmandu'), 5.75 * msPerHour);
  assert.equal(utcOffset(Date.UTC(2026, 6), 'Pacific/Chatham'), 12.75 * msPerHour);
  assert.equal(utcOffset(Date.UTC(2026, 0), 'America/Havana'), -5 * msPerHour);
});

test('a zone in whole hours from UTC has the same day in each hour of UTC, also for zones with half hours', () => {
  fc.assert(
    fc.property(anyZone, anyMinute, (zone, now) => {
      const hour = now - (now % msPerHour);
      assert.equal(dayNumber(hour, offsetZone(hour, zone)), dayNumber(hour, zone));
    }),
  );
  const summer = Date.UTC(2026, 6);
  assert.deepEqual(
    ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns'].map((zone) => offsetZone(summer, zone)),
    ['UTC', 'Etc/GMT-2', 'Etc/GMT-5', 'Etc/GMT+3'],
  );
});

test('a day begins with its first whole hour, or before that with the hour that contains midnight', () => {
  for (const [now, start] of [
    ['2026-03-04T00:10+05:30', '2026-03-03T23:30+05:30'],
    ['2026-03-04T00:30+05:30', '2026-03-04T00:30+05:30'],
    ['2026-03-04T23:59+05:30', '2026-03-04T00:30+05:30'],
  ] as const) {
    assert.equal(startOfDay(Date.parse(now), 'Asia/Kolkata'), Date.parse(start), now);
  }
  assert.equal(startOfDay(Date.UTC(2026, 2, 4, 0, 10), 'UTC'), Date.UTC(2026, 2, 4));
});
