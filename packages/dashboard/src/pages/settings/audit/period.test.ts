import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePeriod } from './period.ts';

const problemsOf = (from: string, to: string) => {
  const result = berlin(from, to);
  return 'problems' in result ? Object.keys(result.problems) : [];
};
const berlin = (from: string, to: string) => parsePeriod(from, to, 'Europe/Berlin');

test('From and To are in the time zone of the user, and the period includes the minute of To', () => {
  assert.deepEqual(berlin('2026-11-28T12:00', '2026-11-28T12:30'), {
    since: '2026-11-28T11:00:00.000Z',
    until: '2026-11-28T11:31:00.000Z',
  });
  assert.deepEqual(berlin('', ''), {});
  assert.deepEqual(berlin('2026-11-28T12:00', ''), { since: '2026-11-28T11:00:00.000Z' });
});

test('a period includes both occurrences of an hour that occurs twice', () => {
  assert.deepEqual(berlin('2026-10-25T02:00', '2026-10-25T02:59'), {
    since: '2026-10-25T00:00:00.000Z',
    until: '2026-10-25T02:00:00.000Z',
  });
});

test('a time that does not exist and an end before the start are reported for their field', () => {
  for (const text of ['2026-03-29T02:30', '0026-01-01T00:00', '12026-01-01T00:00', 'yesterday'])
    assert.deepEqual(problemsOf(text, ''), ['from'], text);
  assert.deepEqual(problemsOf('2026-03-29T02:30', 'x'), ['from', 'to']);
  assert.deepEqual(problemsOf('2026-01-02T00:00', '2026-01-01T00:00'), ['to']);
});
