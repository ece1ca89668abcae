/** The client of a request, according to the fields of the proxies before the server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf, requestFrom, trusted } from '../../../../test/support/proxied-request.ts';
import {
  type AddressHeader,
  addressHeaders,
  createClientAddress,
  createTrustedPeerCheck,
  unknownClient,
} from './client-address.ts';
import { wellFormedSuffix } from './forwarded.ts';

const forms: Record<AddressHeader, [string, string][]> = {
  'x-forwarded-for': [
    ['203.0.113.5', '203.0.113.5'],
    ['203.0.113.5:40321', '203.0.113.5'],
    ['"203.0.113.5"', '203.0.113.5'],
    ['"203.0.113.5:1"', '203.0.113.5'],
    ['\t 203.0.113.5 ', '203.0.113.5'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:443', '2001:db8::7'],
    ['"[2001:DB8:0::7]:443"', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:203.0.113.5', '203.0.113.5'],
    ['[::FFFF:cb00:7105]:1', '203.0.113.5'],
    ['198.51.100.1, 203.0.113.5', '203.0.113.5'],
    ['198.51.100.1, 203.0.113.5, 10.1.2.3,10.9.9.9:80, [fd00::1]:1', '203.0.113.5'],
    ['203.0.113.5, ::ffff:10.1.2.3, 192.168.7.7', '203.0.113.5'],
    ['10.1.2.3, 10.1.2.4', '10.1.2.3'],
  ],
  forwarded: [
    ['for=203.0.113.5', '203.0.113.5'],
    ['For="203.0.113.5:40321"', '203.0.113.5'],
    ['FOR=203.0.113.5:40321;proto=https', '203.0.113.5'],
    ['for="[2001:db8::7]"', '2001:db8::7'],
    ['for="[2001:db8::7]:443"', '2001:db8::7'],
    ['for="[2001:db8::7]:_hidden"', '2001:db8::7'],
    ['for=[2001:db8::7]:443', '2001:db8::7'],
    ['by=_x;host="a,b;for=6.6.6.6\\"";for=203.0.113.5', '203.0.113.5'],
    ['for=203.0.113.5 ; proto=http;', '203.0.113.5'],
    [';for=203.0.113.5', '203.0.113.5'],
    ['for="20\\3.0.113.5"', '203.0.113.5'],
    ['for=198.51.100.1, for=203.0.113.5, for=10.1.2.3;by="x,y"', '203.0.113.5'],
    ['for=10.1.2.3', '10.1.2.3'],
    // A client's opening quote does not swallow the entry that the proxy appended.
    ['for="6.6.6.6, for=203.0.113.5', '203.0.113.5'],
    ['for=6.6.6.6;a=", for="203.0.113.5:1"', '203.0.113.5'],
  ],
};

const unreadable: Record<AddressHeader, string[]> = {
  'x-forwarded-for': [
    '',
    ' ',
    ',',
    '203.0.113.5,',
    '203.0.113.5, ',
    'unknown',
    '_hidden',
    'localhost',
    'example.com',
    '999.1.1.1',
    '010.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '203.0.113.5:',
    '203.0.113.5:123456',
    '203.0.113.5:http',
    '203.0.113.5%eth0',
    '203.0.113.5 x',
    '[203.0.113.5]',
    '[2001:db8::7',
    '2001:db8::7]',
    '[2001:db8::7]443',
    '[2001:db8::7]:',
    '[]',
    '"203.0.113.5',
    '""',
    '"',
    'for=203.0.113.5',
    'unix:',
    '127.0.0.1, unknown',
    `fe80::1%${'x'.repeat(200)}`,
  ],
  forwarded: [
    '',
    ',',
    'for=unknown',
    'for=_hidden',
    'for="_hidden:80"',
    'for=203.0.113.5,',
    'for=127.0.0.1, proto=https',
    'proto=https;by=203.0.113.5',
    'for=',
    'for=""',
    'for',
    'for =203.0.113.5',
    'for= 203.0.113.5',
    'for=203.0.113.5;for=127.0.0.1',
    'for=203.0.113.5;FOR=203.0.113.5',
    'for="203.0.113.5',
    'for=203.0.113.5"',
    'for="203.0.113.5"x',
    'for=203.0.113.5 proto=http',
    '203.0.113.5',
    'x-for=203.0.113.5',
  ],
};

for (const header of addressHeaders) {
  test(`${header}: the last entry that is not a trusted proxy is the client, in any notation`, () => {
    for (const [value, client] of forms[header]) assert.equal(clientOf(header, value), client, value);
  });

  test(`${header}: an unreadable entry is an unknown client`, () => {
    for (const value of unreadable[header]) {
      assert.equal(clientOf(header, value), unknownClient, value);
      const trustedBefore = header === 'forwarded' ? 'for=127.0.0.1' : '127.0.0.1';
      assert.equal(clientOf(header, `${trustedBefore}, ${value}`), unknownClient, value);
    }
  });
}

test('only the configured header is read', () => {
  const request = requestFrom('127.0.0.1', [
    'X-Forwarded-For',
    '203.0.113.1',
    'Forwarded',
    'for=203.0.113.2',
  ]);
  assert.equal(createClientAddress(trusted, 'x-forwarded-for')(request), '203.0.113.1');
  assert.equal(createClientAddress(trusted, 'forwarded')(request), '203.0.113.2');
  const other = requestFrom('127.0.0.1', ['X-Forwarded-For', '203.0.113.1']);
  assert.equal(createClientAddress(trusted, 'forwarded')(other), '127.0.0.1');
});

test('an untrusted peer is the client itself, whatever it sends', () => {
  const fields = ['X-Forwarded-For', '203.0.113.1', 'Forwarded', 'for=203.0.113.2'];
  for (const header of addressHeaders) {
    for (const [peer, client] of [
      ['203.0.113.9', '203.0.113.9'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['fe80::1%eth0', 'fe80::1'],
      [undefined, unknownClient],
    ]) {
      const request = requestFrom(peer, fields);
      assert.equal(createClientAddress(trusted, header)(request), client);
      assert.equal(createClientAddress([], header)(request), client);
      assert.equal(createTrustedPeerCheck(trusted)(request), false);
    }
    const mapped = requestFrom('::ffff:10.1.1.1', fields);
    assert.equal(createTrustedPeerCheck(trusted)(mapped), true);
    assert.match(createClientAddress(trusted, header)(mapped), /^203\.0\.113\.[12]$/);
    assert.equal(createClientAddress([], header)(mapped), '10.1.1.1');
  }
});

test('an IPv6 range contains no IPv4 addresses, and a range of mapped addresses is an IPv4 range', () => {
  const from = (ranges: string[], peer: string) => createTrustedPeerCheck(ranges)(requestFrom(peer));
  assert.equal(from(['::/1'], '203.0.113.1'), false);
  assert.equal(from(['::/1'], '::ffff:203.0.113.1'), false);
  assert.equal(from(['::/1'], '2001:db8::1'), true);
  assert.equal(from(['::ffff:203.0.113.0/120'], '203.0.113.255'), true);
  assert.equal(from(['::ffff:203.0.113.0/120'], '203.0.114.0'), false);
  assert.equal(from(['203.0.113.77/24'], '::ffff:203.0.113.1'), true);
});

test('the number of entries that are read is limited', () => {
  for (const [header, entry] of [
    ['x-forwarded-for', '::1'],
    ['forwarded', 'for="[::1]"'],
  ] as const) {
    const chain = (length: number) => Array<string>(length).fill(entry).join();
    assert.equal(clientOf(header, chain(64)), '::1');
    assert.equal(clientOf(header, chain(65)), unknownClient);
    assert.equal(clientOf(header, chain(64), entry), unknownClient);
  }
});

test('the well-formed elements at the end of a Forwarded list are kept with the same meaning', () => {
  for (const [list, kept] of [
    ['', ''],
    ['for=1.1.1.1', 'for=1.1.1.1'],
    ['for=1.1.1.1, for="a,b"', 'for=1.1.1.1, for="a,b"'],
    ['for="x, for=1.1.1.1', 'for=1.1.1.1'],
    ['for=x;a=", for="1.1.1.1"', 'for="1.1.1.1"'],
    ['for=1.1.1.1, x', ''],
    ['for=1.1.1.1, x, for=2.2.2.2', 'for=2.2.2.2'],
  ] as const) {
    assert.equal(wellFormedSuffix(list), kept, list);
  }
});
