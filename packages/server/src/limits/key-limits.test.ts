import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyLimits, type KeyWindow } from './key-limits.ts';
import { consume, type LimitWindow } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;
const quota = 3;

const newWindow = (): LimitWindow => ({ minute: 0, current: 0, previous: 0 });

/** Sweeps until every window was seen. */
function sweepAll(limits: KeyLimits, now: number): void {
  for (let call = 0; call < 200; call++) limits.sweep(now);
}

/** Keeps the window as verification does, and requests it again once it is dropped. */
class Holder {
  readonly #limits: KeyLimits;
  readonly #windows = new Map<string, KeyWindow>();

  constructor(limits: KeyLimits) {
    this.#limits = limits;
  }

  windowOf(keyId: string): KeyWindow {
    const held = this.#windows.get(keyId);
    if (held !== undefined && !held.dropped) return held;
    const window = this.#limits.ofKey(keyId);
    this.#windows.set(keyId, window);
    return window;
  }
}

test('a key has one window', () => {
  const limits = new KeyLimits();
  assert.equal(limits.ofKey('a'), limits.ofKey('a'));
  assert.notEqual(limits.ofKey('a'), limits.ofKey('b'));
  assert.equal(limits.size, 2);
});

test('a window is dropped two minutes after its last request, and not before', () => {
  const limits = new KeyLimits();
  const window = limits.ofKey('a');
  consume(window, 'key', quota, start);
  for (const now of [start, start + minute, start + 2 * minute - 1]) {
    sweepAll(limits, now);
    assert.equal(window.dropped, false);
    assert.equal(limits.ofKey('a'), window);
  }
  sweepAll(limits, start + 2 * minute);
  assert.equal(window.dropped, true);
  assert.equal(limits.size, 0);
  assert.equal(limits.ofKey('a').dropped, false);
});

test('memory returns to zero after any number of keys were used once', () => {
  const limits = new KeyLimits();
  const count = 100_000;
  for (let i = 0; i < count; i++) consume(limits.ofKey(`key ${i}`), 'key', quota, start);
  sweepAll(limits, start);
  assert.equal(limits.size, count);
  sweepAll(limits, start + 2 * minute);
  assert.equal(limits.size, 0);
});

test('one sweep checks only a small part of the windows', () => {
  const limits = new KeyLimits();
  for (let i = 0; i < 100_000; i++) limits.ofKey(`key ${i}`);
  limits.sweep(start);
  assert.ok(limits.size > 95_000 && limits.size < 100_000, `${limits.size}`);
});

const operations = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    sweep: fc.boolean(),
    pause: fc.oneof(
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 0, max: 3 * minute }),
      fc.integer({ min: 0, max: 525_600 }).map((minutes) => minutes * minute),
    ),
  }),
  { size: 'max', maxLength: 200 },
);

test('the same requests pass with and without sweeps', () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const limits = new KeyLimits();
      const holder = new Holder(limits);
      const unswept = new Map<string, LimitWindow>(['a', 'b', 'c'].map((key) => [key, newWindow()]));
      let now = start;
      for (const { key, sweep, pause } of steps) {
        now += pause;
        if (sweep) limits.sweep(now);
        const expected = consume(unswept.get(key) ?? newWindow(), 'key', quota, now);
        assert.deepEqual(consume(holder.windowOf(key), 'key', quota, now), expected);
      }
    }),
  );
});

test('after a clock was set back, a sweep frees no window', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 525_600 }), (minutes) => {
      const limits = new KeyLimits();
      const holder = new Holder(limits);
      while (consume(holder.windowOf('a'), 'key', quota, start).passed);
      const back = start - minutes * minute;
      sweepAll(limits, back);
      assert.equal(consume(holder.windowOf('a'), 'key', quota, back).passed, false);
      // Nor does it stay in memory until the time that the clock showed before.
      sweepAll(limits, back + 4 * minute);
      assert.equal(limits.size, 0);
    }),
  );
});

test('windows that count are listed, and continue in another process', () => {
  const [before, after] = [new KeyLimits(), new KeyLimits()];
  for (let i = 0; i < quota; i++) consume(before.ofKey('full'), 'key', quota, start);
  consume(before.ofKey('old'), 'key', quota, start - 2 * minute);
  before.ofKey('unused');
  const counting = [...before.counting(start)];
  assert.deepEqual(
    counting.map(([keyId]) => keyId),
    ['full'],
  );
  for (const [keyId, { minute: at, current, previous }] of counting) {
    after.restore(keyId, { minute: at, current, previous });
  }
  assert.equal(consume(after.ofKey('full'), 'key', quota, start).passed, false);
  assert.equal(consume(after.ofKey('full'), 'key', quota, start + minute + minute / 2).passed, true);
});
