import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advance, consume, type LimitWindow, maxQuota, peek } from './sliding-window.ts';

const minute = 60_000;

/** The start of a minute in 2026, in epoch ms. */
const start = 29_500_000 * minute;

/** The rule as specified, with arbitrary-precision integers. */
function usedOf({ current, previous }: { current: bigint; previous: bigint }, now: number): bigint {
  const left = BigInt(minute - (now % minute));
  return (previous * left) / BigInt(minute) + current;
}

/** Stores when each request passed, and counts them from scratch each time. */
class ListOfRequests {
  readonly #quota: number;
  readonly #passed: number[] = [];

  constructor(quota: number) {
    this.#quota = quota;
  }

  used(now: number): number {
    const minuteOf = (at: number) => Math.floor(at / minute);
    const inMinute = (wanted: number) => BigInt(this.#passed.filter((at) => minuteOf(at) === wanted).length);
    const current = inMinute(minuteOf(now));
    return Number(usedOf({ current, previous: inMinute(minuteOf(now) - 1) }, now));
  }

  passes(now: number): boolean {
    return this.used(now) < this.#quota;
  }

  take(now: number): boolean {
    const passes = this.passes(now);
    if (passes) this.#passed.push(now);
    return passes;
  }
}

/** The minimum number of ms after which a request passes. It then keeps passing, because less and less counts. */
function leastWait(passesAfter: (wait: number) => boolean): number {
  let [refused, passed] = [0, 3 * minute];
  while (passed - refused > 1) {
    const middle = Math.floor((refused + passed) / 2);
    if (passesAfter(middle)) passed = middle;
    else refused = middle;
  }
  return passed;
}

const newWindow = (): LimitWindow => ({ minute: 0, current: 0, previous: 0 });

/** ms between two requests: at once, within a second, a minute or two. */
const pauses = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: 0, max: minute }),
  fc.constantFrom(minute - 1, minute, minute + 1, 2 * minute - 1, 2 * minute, 2 * minute + 1),
);

const quotas = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: maxQuota }),
  fc.constantFrom(1, 2, maxQuota - 1, maxQuota),
);
const counts = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: maxQuota }),
  fc.constant(maxQuota),
);

/** Any window at any moment of its minute and the two after it. */
const moments = fc.record({
  quota: quotas,
  current: counts,
  previous: counts,
  later: fc.integer({ min: 0, max: 3 * minute - 1 }),
});

function windowAt({ current, previous }: { current: number; previous: number }): LimitWindow {
  return { minute: start / minute, current, previous };
}

test('a window accepts the same requests as a list of all requests, and reports how many more pass and when', () => {
  const requests = fc.array(pauses, { size: 'max', maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), requests, (quota, times) => {
      const [window, list] = [newWindow(), new ListOfRequests(quota)];
      let now = start;
      for (const pause of times) {
        now += pause;
        const state = consume(window, 'key', quota, now);
        assert.equal(state.passed, list.take(now));
        assert.deepEqual([state.policy, state.limit], ['key', quota]);
        assert.equal(state.remaining, Math.max(0, quota - list.used(now)));
        const wait = state.passed ? minute - (now % minute) : leastWait((ms) => list.passes(now + ms));
        assert.equal(state.resetSeconds, Math.ceil(wait / 1000));
      }
    }),
  );
});

test('up to the highest limits the results equal arbitrary-precision arithmetic', () => {
  fc.assert(
    fc.property(moments, ({ quota, current, previous, later }) => {
      const now = start + later;
      const state = peek(windowAt({ current, previous }), 'key', quota, now);
      const buckets = [
        { current: BigInt(current), previous: BigInt(previous) },
        { current: 0n, previous: BigInt(current) },
        { current: 0n, previous: 0n },
      ][Math.floor(later / minute)];
      assert.ok(buckets);
      const left = BigInt(quota) - usedOf(buckets, now);
      assert.equal(state.passed, left > 0n);
      assert.equal(BigInt(state.remaining), left > 0n ? left : 0n);
    }),
    { numRuns: 2000 },
  );
});

test('a rejected request passes after the reported wait, and not a millisecond before the exact one', () => {
  fc.assert(
    fc.property(moments, ({ quota, current, previous, later }) => {
      const now = start + later;
      const passesAfter = (ms: number) =>
        peek(windowAt({ current, previous }), 'key', quota, now + ms).passed;
      fc.pre(!passesAfter(0));
      const { resetSeconds } = peek(windowAt({ current, previous }), 'key', quota, now);
      assert.equal(passesAfter(resetSeconds * 1000), true);
      const exact = leastWait(passesAfter);
      assert.equal(passesAfter(exact - 1), false);
      assert.equal(resetSeconds, Math.ceil(exact / 1000));
    }),
    { numRuns: 2000 },
  );
});

test('without requests, less and less counts over time', () => {
  const waits = fc.integer({ min: 0, max: 2 * minute });
  fc.assert(
    fc.property(moments, waits, ({ quota, current, previous, later }, wait) => {
      const remaining = (now: number) => peek(windowAt({ current, previous }), 'key', quota, now).remaining;
      assert.ok(remaining(start + later) <= remaining(start + later + wait));
    }),
  );
});

test('a rejected request is not counted, and neither is a peek', () => {
  fc.assert(
    fc.property(moments, ({ quota, current, previous, later }) => {
      const now = start + later;
      const window = windowAt({ current, previous });
      advance(window, now);
      const before = { ...window };
      const seen = peek(window, 'address', quota, now);
      assert.deepEqual(window, before);
      const { passed, remaining } = consume(window, 'address', quota, now);
      assert.deepEqual(window, { ...before, current: before.current + (passed ? 1 : 0) });
      assert.equal(passed, seen.passed);
      assert.equal(remaining, seen.remaining - (passed ? 1 : 0));
    }),
  );
});

/** A clock change between two requests: by less than a second, by minutes, or by years. */
const clockSteps = fc.array(
  fc.oneof(
    fc.integer({ min: -1000, max: 1000 }),
    fc.integer({ min: -5 * minute, max: 5 * minute }),
    fc.integer({ min: -20 * 525_600, max: 20 * 525_600 }).map((minutes) => minutes * minute),
  ),
  { size: 'max', maxLength: 100 },
);

test('a clock that is set back frees nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), clockSteps, (quota, steps) => {
      const window = newWindow();
      let now = start;
      let before = quota;
      for (const step of steps) {
        now += step;
        if (step <= 0) assert.ok(peek(window, 'key', quota, now).remaining <= before);
        before = consume(window, 'key', quota, now).remaining;
      }
    }),
  );
});

test('after any clock change, no client is locked out for more than two minutes', () => {
  fc.assert(
    fc.property(quotas, counts, clockSteps, (quota, current, steps) => {
      const window = windowAt({ current, previous: current });
      let now = start;
      for (const step of steps) {
        now += step;
        const { passed, resetSeconds } = consume(window, 'key', quota, now);
        assert.ok(resetSeconds >= 1 && resetSeconds <= 120, `${resetSeconds}`);
        assert.ok(window.current <= maxQuota && window.previous <= maxQuota);
        const later = peek({ ...window }, 'key', quota, now + resetSeconds * 1000);
        if (!passed) assert.equal(later.passed, true);
      }
    }),
  );
});

test('after a clock was years ahead, a full window stays full for at most two minutes', () => {
  const window = newWindow();
  const ahead = start + 525_600 * minute;
  while (consume(window, 'key', 5, ahead).passed);
  const back = peek(window, 'key', 5, start + 1);
  assert.deepEqual([back.passed, back.remaining], [false, 0]);
  assert.equal(peek(window, 'key', 5, start + 2 * minute).passed, true);
});
