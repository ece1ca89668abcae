import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { networkOf } from './network.ts';

const same: [string, string][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::ffff:192.0.2.1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  // Not mapped: another part of the address space (RFC 4291 section 2.5.5.1).
  ['::192.0.2.1', '0:0:0:0::/64'],
  ['::1:ffff:192.0.2.1', '0:0:0:0::/64'],
];

test('an address is limited as itself for IPv4, or as its /64 for IPv6', () => {
  for (const [address, network] of same) assert.equal(networkOf(address), network, address);
});

test('all invalid addresses count as one', () => {
  for (const text of [
    '',
    'unknown',
    '192.0.2.1:80',
    '[::1]',
    '1.2.3',
    '01.2.3.4',
    '::g',
    'x'.repeat(10_000),
  ]) {
    assert.equal(networkOf(text), 'no address', text.slice(0, 20));
  }
});

/** Eight groups, many of them zero, so that the address can be shortened. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});

test('every spelling of an IPv6 address is in the network of its first four groups', () => {
  fc.assert(
    fc.property(groups, fc.nat(7), fc.nat(8), fc.boolean(), (numbers, from, length, upper) => {
      const mapped = numbers.slice(0, 5).every((group) => group === 0) && numbers[5] === 0xffff;
      fc.pre(!mapped);
      const hex = numbers.map((group) =>
        upper ? group.toString(16).toUpperCase() : `0${group.toString(16)}`.slice(-4),
      );
      const zeros = numbers.slice(from, from + length);
      const shortened =
        zeros.length > 0 && zeros.every((group) => group === 0)
          ? `${hex.slice(0, from).join(':')}::${hex.slice(from + zeros.length).join(':')}`
          : hex.join(':');
      assert.ok(isIPv6(shortened), shortened);
      const wanted = numbers.slice(0, 4).map((group) => group.toString(16));
      assert.equal(networkOf(shortened), `${wanted.join(':')}::/64`, shortened);
    }),
    { numRuns: 1000 },
  );
});
