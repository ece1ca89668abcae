/** The limit on requests without a valid key per address: it slows guessing and affects no other caller. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ErrorCode } from '@soku/contract/error-codes';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertLimited } from '../support/limits.ts';
import { startWithMovableClock } from '../support/movable-clock.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';

const { server, clock } = await startWithMovableClock({
  SOKU_ADDRESS_RATE_LIMIT: '3',
  TRUST_PROXY: '127.0.0.1',
});
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);

const assertOverLimit = (response: HttpResponse, quota: number) =>
  assertLimited(response, 'address', quota, clock.now);
const assertRejected = (response: HttpResponse, code: ErrorCode) => assertProblem(response, code, clock.now);

let addresses = 0;
/** An address that no other test uses. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

/** Sends an Authorization header from an address that a trusted proxy reports. */
const guess = (address: string, authorization: string) =>
  contract.call('GET', '/v1/verify', {
    fields: [
      ['X-Forwarded-For', address],
      ['Authorization', authorization],
    ],
  });

test('guesses of a client are counted together whatever its port, and all unknown clients count as one', async () => {
  const client = newAddress();
  for (const spellings of [
    [`${client}:1`, `"${client}"`, `6.6.6.6, ${client}`, `::ffff:${client}`],
    ['unknown', '', '999.1.1.1', `${client}, x`],
  ]) {
    await clock.beginMinute();
    const statuses: number[] = [];
    for (const spelling of spellings) statuses.push((await guess(spelling, 'Bearer x')).status);
    assert.deepEqual(statuses, [401, 401, 401, 429], spellings.join(' | '));
    assert.equal((await guess(`${newAddress()}:1`, 'Bearer x')).status, 401, 'another client');
  }
});

test('guesses over the limit of an address get a 429 instead of a 401, with the time of the next try', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'near' });
  const guesses = [
    `Bearer ${generateKey()}`,
    `Bearer ${apiKey.slice(0, -1)}`,
    `Bearer ${apiKey.slice(8)}`,
    `Bearer ${key.preview}`,
    `Bearer  ${apiKey}`,
    apiKey,
    'Basic YTpi',
  ];
  for (const authorization of guesses) {
    const address = newAddress();
    await clock.beginMinute();
    for (let i = 0; i < 3; i++) assert.equal((await guess(address, authorization)).status, 401);
    const seconds = assertOverLimit(await guess(address, authorization), 3);
    assertOverLimit(await guess(address, `Bearer ${generateKey()}`), 3);
    assert.equal((await guess(newAddress(), authorization)).status, 401);
    await clock.move(seconds * 1000);
    assert.equal((await guess(address, authorization)).status, 401);
  }
});

test('at an address over its limit, valid keys pass, and revoked or expired keys get their own error', async () => {
  const valid = await ada.createKey({ name: 'neighbor' });
  const revoked = await ada.createKey({ name: 'revoked' });
  const expired = await ada.createKey({
    name: 'expired',
    expiresAt: new Date(Date.parse(valid.key.createdAt) + 60_000).toISOString(),
  });
  await ada.revoke(revoked.key.id);
  const address = newAddress();
  await clock.move(60_000);
  await clock.beginMinute();
  for (let i = 0; i < 4; i++) await guess(address, `Bearer ${generateKey()}`);
  for (let i = 0; i < 5; i++) {
    assertOverLimit(await guess(address, `Bearer ${generateKey()}`), 3);
    assert.equal((await guess(address, `Bearer ${valid.apiKey}`)).status, 204);
    assertRejected(await guess(address, `Bearer ${revoked.apiKey}`), 'revoked_key');
    assertRejected(await guess(address, `Bearer ${expired.apiKey}`), 'expired_key');
  }
});

test('a request without a key does not count as a guess, and the error explains how to send one', async () => {
  const address = newAddress();
  const fields: [string, string][] = [['X-Forwarded-For', address]];
  for (let i = 0; i < 10; i++) {
    assertRejected(await contract.call('GET', '/v1/verify', { fields }), 'missing_authorization');
  }
  assert.equal((await guess(address, `Bearer ${generateKey()}`)).status, 401);
});

test('all addresses of one IPv6 /64 network share a limit', async () => {
  await clock.beginMinute();
  const from = (host: string) => guess(`2001:db8:0:1:${host}`, `Bearer ${generateKey()}`);
  for (const host of [':1', ':2', 'ffff:ffff:ffff:ffff']) assert.equal((await from(host)).status, 401);
  assertOverLimit(await from(':3'), 3);
  assert.equal((await guess('2001:db8:0:2::1', `Bearer ${generateKey()}`)).status, 401);
});
