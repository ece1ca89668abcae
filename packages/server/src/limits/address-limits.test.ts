import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressLimits } from './address-limits.ts';
import { consume, type LimitWindow } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;

/** The IPv4 address number `i`. */
function addressOf(i: number): string {
  return [24, 16, 8, 0].map((shift) => (i >>> shift) & 0xff).join('.');
}

test('each address has its own quota', () => {
  const limits = new AddressLimits(3);
  const remaining = () => limits.consume('192.0.2.1', start)?.remaining;
  assert.deepEqual([remaining(), remaining(), remaining()], [2, 1, 0]);
  const state = limits.consume('192.0.2.1', start);
  assert.deepEqual(state, { policy: 'address', limit: 3, remaining: 0, resetSeconds: 61, passed: false });
  assert.equal(limits.consume('192.0.2.2', start)?.passed, true);
});

test('a /64 counts as one address, and a mapped IPv4 address as the IPv4 address', () => {
  const limits = new AddressLimits(2);
  const passes = (address: string) => limits.consume(address, start)?.passed;
  assert.deepEqual(['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::'].map(passes), [true, true, false]);
  assert.equal(passes('2001:db8:0:1::1'), true);
  assert.deepEqual(['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1'].map(passes), [true, true, false]);
});

test('off means no limit, and stores no address', () => {
  const limits = new AddressLimits('off');
  for (let i = 0; i < 1000; i++) assert.equal(limits.consume('192.0.2.1', start), null);
  assert.equal(limits.size, 0);
});

test('memory stays bounded for any number of addresses', () => {
  const limits = new AddressLimits(1, 1000);
  for (let i = 0; i < 10_000; i++) {
    limits.consume(addressOf(i), start + i);
    assert.ok(limits.size <= 1000, `${limits.size}`);
  }
});

test('an active address is never evicted', () => {
  const limits = new AddressLimits(1, 1000);
  limits.consume('192.0.2.1', start);
  for (let i = 0; i < 10_000; i++) {
    limits.consume(addressOf(i), start);
    assert.equal(limits.consume('192.0.2.1', start)?.passed, false);
  }
});

test('evicting an address takes at least half the bound of other addresses', () => {
  const limits = new AddressLimits(1, 1000);
  limits.consume('192.0.2.1', start);
  for (let i = 0; i < 499; i++) assert.equal(limits.consume(addressOf(i), start)?.passed, true);
  assert.equal(limits.consume('192.0.2.1', start)?.passed, false);
});

test('a client with one address cannot evict it', () => {
  const limits = new AddressLimits(1, 4);
  limits.consume('192.0.2.1', start);
  for (let i = 0; i < 10_000; i++) assert.equal(limits.consume('192.0.2.1', start)?.passed, false);
});

test('inactive addresses are evicted', () => {
  const limits = new AddressLimits(5, 1000);
  for (let i = 0; i < 400; i++) limits.consume(addressOf(i), start);
  limits.consume('192.0.2.1', start + 2 * minute);
  limits.consume('192.0.2.1', start + 4 * minute);
  assert.equal(limits.size, 1);
});

test('inactive addresses from a clock far ahead are evicted after the clock was set back', () => {
  const limits = new AddressLimits(5, 1000);
  for (let i = 0; i < 400; i++) limits.consume(addressOf(i), start + 1000 * minute);
  for (const now of [start, start + 2 * minute, start + 4 * minute]) limits.consume('192.0.2.1', now);
  assert.equal(limits.size, 1);
});

test('an inactive address is kept as long as its requests count', () => {
  const limits = new AddressLimits(6, 1000);
  for (let i = 0; i < 6; i++) limits.consume('192.0.2.1', start);
  for (let second = 1; second < 90; second++) limits.consume('192.0.2.2', start + second * 1000);
  // Half of the six requests of the previous minute.
  assert.equal(limits.consume('192.0.2.1', start + 90_000)?.remaining, 2);
});

const requests = fc.array(
  fc.record({
    address: fc.integer({ min: 0, max: 5 }).map(addressOf),
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 * minute })),
  }),
  { size: 'max', maxLength: 300 },
);

test('without evictions each address is limited as by a permanent window', () => {
  fc.assert(
    fc.property(requests, (steps) => {
      const limits = new AddressLimits(2, 12);
      const windows = new Map<string, LimitWindow>();
      let now = start;
      for (const { address, pause } of steps) {
        now += pause;
        const window = windows.get(address) ?? { minute: 0, current: 0, previous: 0 };
        windows.set(address, window);
        const expected = consume(window, 'address', 2, now);
        assert.deepEqual(limits.consume(address, now), expected);
      }
    }),
  );
});

test('a clock that is set back frees no address', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 525_600 }), (minutes) => {
      const limits = new AddressLimits(1, 1000);
      limits.consume('192.0.2.1', start);
      const back = start - minutes * minute;
      for (let i = 0; i < 10; i++) limits.consume(addressOf(i), back);
      assert.equal(limits.consume('192.0.2.1', back)?.passed, false);
    }),
  );
});
