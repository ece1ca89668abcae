import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WrongPasswords } from './wrong-passwords.ts';

const second = 1000;
const hour = 3600 * second;

function setUp() {
  const clock = { now: 1_800_000_000_000 };
  return { clock, wrong: new WrongPasswords(() => clock.now) };
}

test('ten wrong passwords cause no delay, and each further one doubles it, up to 15 minutes', () => {
  const { clock, wrong } = setUp();
  for (let i = 1; i < 10; i++) wrong.count('ada');
  assert.equal(wrong.secondsToWait('ada'), 0);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    wrong.count('ada');
    waits.push(wrong.secondsToWait('ada'));
    clock.now += wrong.secondsToWait('ada') * second;
    assert.equal(wrong.secondsToWait('ada'), 0);
  }
  assert.deepEqual(waits, [15, 30, 60, 120, 240, 480, 900, 900]);
  assert.equal(wrong.secondsToWait('bob'), 0, 'others do not wait');
});

test('the right password ends the delay, and so does a day without a wrong one', () => {
  const { clock, wrong } = setUp();
  for (let i = 0; i < 30; i++) for (const key of ['ada', 'bob']) wrong.count(key);
  wrong.clear('ada');
  assert.equal(wrong.secondsToWait('ada'), 0);
  clock.now += 24 * hour;
  wrong.count('bob');
  assert.equal(wrong.secondsToWait('bob'), 0);
});

test('a clock that is set back does not extend the delay', () => {
  const { clock, wrong } = setUp();
  for (let i = 0; i < 10; i++) wrong.count('ada');
  clock.now -= hour;
  assert.equal(wrong.secondsToWait('ada'), 15);
});
