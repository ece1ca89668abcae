import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttemptColumns, addEarlierAttempt, readEarlierAttempts } from './attempts.ts';

test('the newest twenty attempts before the last one are kept', () => {
  let row: AttemptColumns = {
    attempted_at: null,
    duration_ms: null,
    response_status: null,
    error: null,
    earlier_attempts: null,
  };
  for (let attempt = 1; attempt <= 30; attempt++) {
    const earlier_attempts = addEarlierAttempt(row);
    row = { attempted_at: attempt, duration_ms: 5, response_status: 204, error: null, earlier_attempts };
  }
  const times = readEarlierAttempts(row).map(({ at }) => Date.parse(at));
  assert.deepEqual(
    times,
    Array.from({ length: 20 }, (_, i) => 29 - i),
  );
});
