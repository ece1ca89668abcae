import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeExpiry, offeredLifetimes, parseExpiry } from './expiry.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const custom = (text: string, zone = 'Europe/Berlin', at = now) => parseExpiry('custom', text, at, zone);

for (const [text, problem] of [
  ['', 'Choose a date and time.'],
  ['2026-03-29T02:30', /^02:30 does not exist on .*, when clocks go forward\. Choose another time\.$/],
  ['2026-02-28T12:00', 'This time has passed.'],
  ['2026-03-01T13:00', 'This time has passed.'],
  ['0001-01-01T00:00', 'Enter the year with four digits, such as 2030.'],
  ['0026-05-01T00:00', 'Enter the year with four digits, such as 2030.'],
  ['10000-01-01T00:00', 'Choose a year up to 9999.'],
  ['202611-05-01T00:00', 'Choose a year up to 9999.'],
] satisfies Array<[string, string | RegExp]>) {
  test(`"${text}" is rejected with an explanation`, () => {
    const { problem: actual = '' } = custom(text);
    if (typeof problem === 'string') assert.equal(actual, problem);
    else assert.match(actual, problem);
  });
}

test('a custom time is in the given time zone and may be up to the end of the year 9999', () => {
  assert.deepEqual(custom('2026-07-01T12:00'), { at: '2026-07-01T10:00:00.000Z', twice: false });
  assert.deepEqual(custom('2026-07-01T12:00', 'Asia/Kathmandu'), {
    at: '2026-07-01T06:15:00.000Z',
    twice: false,
  });
  assert.deepEqual(custom('9999-12-31T23:59'), { at: '9999-12-31T22:59:00.000Z', twice: false });
  assert.match(custom('9999-12-31T23:59', 'America/Havana').problem ?? '', /before the end of 9999/);
});

test('an hour that occurs twice means the first one, or the second one if the first has passed', () => {
  assert.deepEqual(custom('2026-10-25T02:30'), { at: '2026-10-25T00:30:00.000Z', twice: true });
  assert.match(
    describeExpiry('custom', '2026-10-25T02:30', now, 'Europe/Berlin'),
    /^The key expires on .* \(2026-10-25 00:30:00 UTC\)\. This time occurs twice; the first one is used\.$/,
  );
  const between = Date.parse('2026-10-25T00:45:00Z');
  const second = custom('2026-10-25T02:30', 'Europe/Berlin', between);
  assert.deepEqual(second, { at: '2026-10-25T01:30:00.000Z', twice: false });
});

test('a lifetime is a number of days of 24 hours', () => {
  assert.deepEqual(parseExpiry('30', '', now), { at: '2026-03-31T12:00:00.000Z', twice: false });
  assert.deepEqual(parseExpiry('never', '', now), { at: null, twice: false });
});

test('a maximum lifetime is offered instead of never and of longer lifetimes, and never only if keys need not expire', () => {
  const valuesOf = (maxDays: number | null, required = false) =>
    offeredLifetimes(maxDays, required).map(({ value }) => value);
  assert.deepEqual(valuesOf(null), ['never', '30', '90', '365', 'custom']);
  assert.deepEqual(valuesOf(100), ['100', '30', '90', 'custom']);
  assert.deepEqual(valuesOf(90), ['90', '30', 'custom']);
  assert.deepEqual(valuesOf(1), ['1', 'custom']);
  assert.deepEqual(valuesOf(null, true), ['365', '30', '90', 'custom']);
  assert.deepEqual(valuesOf(1000, true), ['1000', '30', '90', '365', 'custom']);
  assert.equal(offeredLifetimes(1, false)[0].name, '1 day (the maximum)');
});
