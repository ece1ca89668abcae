/** How many requests with no right key an address may make: guessing is slowed, and nobody else suffers. */
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

const limited = (answer: HttpResponse, quota: number) => assertLimited(answer, 'address', quota, clock.now);
const refused = (answer: HttpResponse, code: ErrorCode) => assertProblem(answer, code, clock.now);

let addresses = 0;
/** An address that no other test has. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

/** Sends an Authorization header from an address, as a trusted proxy tells it. */
const guess = (address: string, authorization: string) =>
  contract.call('GET', '/v1/verify', {
    fields: [
      ['X-Forwarded-For', address],
      ['Authorization', authorization],
    ],
  });

test('guesses of one client count together whatever its port, and so do those of all unknown clients', async () => {
  const client = newAddress();
  for (const forms of [
    [`${client}:1`, `"${client}"`, `6.6.6.6, ${client}`, `::ffff:${client}`],
    ['unknown', '', '999.1.1.1', `${client}, x`],
  ]) {
    await clock.beginMinute();
    const statuses: number[] = [];
    for (const form of forms) statuses.push((await guess(form, 'Bearer x')).status);
    assert.deepEqual(statuses, [401, 401, 401, 429], forms.join(' | '));
    assert.equal((await guess(`${newAddress()}:1`, 'Bearer x')).status, 401, 'another client');
  }
});

test('guesses from one address are refused with a 429 in place of a 401, and told when to go on', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'near' });
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
    const seconds = limited(await guess(address, authorization), 3);
    limited(await guess(address, `Bearer ${generateKey()}`), 3);
    assert.equal((await guess(newAddress(), authorization)).status, 401);
    await clock.move(seconds * 1000);
    assert.equal((await guess(address, authorization)).status, 401);
  }
});

test('from an address that is over its limit a good key passes, and a dead one is told that it is dead', async () => {
  const good = await ada.makeKey({ name: 'neighbour' });
  const dead = await ada.makeKey({ name: 'dead' });
  const over = await ada.makeKey({
    name: 'over',
    expiresAt: new Date(Date.parse(good.key.createdAt) + 60_000).toISOString(),
  });
  await ada.revoke(dead.key.id);
  const address = newAddress();
  await clock.move(60_000);
  await clock.beginMinute();
  for (let i = 0; i < 4; i++) await guess(address, `Bearer ${generateKey()}`);
  for (let i = 0; i < 5; i++) {
    limited(await guess(address, `Bearer ${generateKey()}`), 3);
    assert.equal((await guess(address, `Bearer ${good.apiKey}`)).status, 204);
    refused(await guess(address, `Bearer ${dead.apiKey}`), 'revoked_key');
    refused(await guess(address, `Bearer ${over.apiKey}`), 'expired_key');
  }
});

test('who sends no key at all is no guesser, and learns how to send one', async () => {
  const address = newAddress();
  const fields: [string, string][] = [['X-Forwarded-For', address]];
  for (let i = 0; i < 10; i++) {
    refused(await contract.call('GET', '/v1/verify', { fields }), 'missing_authorization');
  }
  assert.equal((await guess(address, `Bearer ${generateKey()}`)).status, 401);
});

test('the addresses of one /64 are one', async () => {
  await clock.beginMinute();
  const from = (host: string) => guess(`2001:db8:0:1:${host}`, `Bearer ${generateKey()}`);
  for (const host of [':1', ':2', 'ffff:ffff:ffff:ffff']) assert.equal((await from(host)).status, 401);
  limited(await from(':3'), 3);
  assert.equal((await guess('2001:db8:0:2::1', `Bearer ${generateKey()}`)).status, 401);
});
