import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlock } from './address-lists.ts';
import { allowedAddressesSchema } from './allowed-addresses.ts';

test('each mistake has its own problem, which repeats no input', () => {
  const problems: [string, RegExp][] = [
    ['', /empty/],
    [' 192.0.2.1', /spaces/],
    ['192.0.2.1\n', /spaces/],
    ['fe80::1%eth0', /zone/],
    ['192.0.2.1:443', /port or brackets/],
    ['[2001:db8::1]', /port or brackets/],
    ['[2001:db8::1]:443', /port or brackets/],
    ['192.0.2.*', /wildcards/],
    ['10.x.x.x', /wildcards/],
    ['192.0.2.1-192.0.2.9', /range/],
    ['2001:db8::1-2001:db8::9', /range/],
    ['192.0.02.1', /leading zeros/],
    ['010.0.0.0/8', /leading zeros/],
    ['192.0.2.256', /from 0 to 255/],
    ['192.0.2', /four numbers/],
    ['192.0.2.1.1', /four numbers/],
    ['3221225985', /four numbers/],
    ['2001::db8::1', /only once/],
    ['2001:::1', /only once/],
    ['2001:0db80::1', /four hexadecimal digits/],
    ['2001:db8:1', /eight groups/],
    ['1:2:3:4:5:6:7:8:9', /eight groups/],
    ['1:2:3:4:5:6:7::8:9', /eight groups/],
    ['192.0.2.0/33', /from 0 to 32/],
    ['192.0.2.0/024', /from 0 to 32/],
    ['192.0.2.0/+24', /from 0 to 32/],
    ['192.0.2.0/', /from 0 to 32/],
    ['192.0.2.0/255.255.255.0', /from 0 to 32/],
    ['192.0.2.0/24/24', /from 0 to 32/],
    ['2001:db8::/129', /from 0 to 128/],
    ['::ffff:192.0.2.0/24', /from 96 to 128/],
    ['example.com', /IP address or a CIDR block/],
    ['localhost', /IP address or a CIDR block/],
    ['https://192.0.2.1/', /IP address or a CIDR block/],
    [`sk_live_${'a'.repeat(32)}`, /IP address or a CIDR block/],
    ['1'.repeat(100_000), /IP address or a CIDR block/],
    [`${'1:'.repeat(50_000)}`, /IP address or a CIDR block/],
  ];
  for (const [text, expected] of problems) {
    const { problem = '' } = parseBlock(text);
    assert.match(problem, expected, text.slice(0, 50));
    const input = text.split('/')[0] ?? '';
    assert.ok(input.length < 2 || !problem.includes(input), problem);
  }
});

test('bits after the prefix length are rejected with the block that was meant', () => {
  for (const [text, meant] of [
    ['10.0.0.5/8', '10.0.0.0/8'],
    ['::ffff:10.0.0.5/104', '10.0.0.0/8'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['255.255.255.255/0', '0.0.0.0/0'],
  ] as const) {
    const parsed = parseBlock(text);
    assert.equal(parsed.meant, meant);
    assert.ok(parsed.problem?.startsWith(`must be ${meant}, `));
  }
});

test('a list is canonical, sorted by address and without duplicates', () => {
  const list = [
    '::1',
    '2001:DB8::/32',
    '200.0.0.1',
    '10.0.0.0/8',
    '::ffff:10.0.0.0/104',
    '9.9.9.9/32',
    '10.0.0.0',
    '::/0',
  ];
  assert.deepEqual(allowedAddressesSchema.parse(list), [
    '9.9.9.9',
    '10.0.0.0/8',
    '10.0.0.0',
    '200.0.0.1',
    '::/0',
    '::1',
    '2001:db8::/32',
  ]);
  assert.deepEqual(
    allowedAddressesSchema.parse(list),
    allowedAddressesSchema.parse(allowedAddressesSchema.parse(list)),
  );
});

test('all problems of a list are reported by their index, and a list has at most 50 entries', () => {
  const result = allowedAddressesSchema.safeParse(['192.0.2.1', 'x', '10.0.0.1/8']);
  assert.deepEqual(
    result.error?.issues.map(({ path }) => path),
    [[1], [2]],
  );
  const many = Array.from({ length: 51 }, (_, i) => `192.0.2.${i}`);
  assert.equal(allowedAddressesSchema.safeParse(many).success, false);
  assert.equal(allowedAddressesSchema.parse(many.slice(1)).length, 50);
});
