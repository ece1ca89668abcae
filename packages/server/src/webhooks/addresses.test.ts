import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReachableAddresses } from './addresses.ts';

const host = 'hooks.example.com';

test('only public addresses are permitted', () => {
  const addresses = new ReachableAddresses([]);
  const isPublic = (address: string) => addresses.permits(host, address);
  for (const address of ['1.1.1.1', '172.15.0.1', '172.32.0.1', '100.63.255.255', '100.128.0.0', '192.0.3.1'])
    assert.equal(isPublic(address), true, address);
  for (const address of ['223.255.255.255', '2606:4700::1111', '2a00::1', '::ffff:1.1.1.1'])
    assert.equal(isPublic(address), true, address);
  const notPublic = [
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.255'],
    ...['168.63.129.16', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1'],
    ...['192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::a00:1'],
    ...[
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:a00:1::',
      '3fff::1',
      'fc00::1',
      'fd00:ec2::254',
    ],
    ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', 'localhost', '', '10.0.0.1/32', '1.1.1.0/24'],
  ];
  for (const address of notPublic) assert.equal(isPublic(address), false, address);
});

test('the operator can allow addresses, ranges and hosts, and nothing else is allowed with them', () => {
  const addresses = new ReachableAddresses(['10.1.0.0/16', 'fd12::/16', '127.0.0.1', 'Hooks.Internal']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::5', '127.0.0.1'])
    assert.equal(addresses.permits(host, address), true, address);
  for (const address of ['10.2.0.1', 'fd13::1', '127.0.0.2', '::1'])
    assert.equal(addresses.permits(host, address), false, address);
  for (const name of ['hooks.internal', 'HOOKS.internal', 'hooks.internal.'])
    assert.equal(addresses.permits(name, '192.168.7.7'), true, name);
  for (const name of ['x.hooks.internal', 'hooks.internal.example.com'])
    assert.equal(addresses.permits(name, '192.168.7.7'), false, name);
  for (const name of ['hooks.internal', '10.1.2.3', '[fd12::5]', '127.0.0.1'])
    assert.equal(addresses.isAllowed(name), true, name);
  for (const name of [host, '10.2.0.1', '[::1]']) assert.equal(addresses.isAllowed(name), false, name);
});
