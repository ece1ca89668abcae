/**
 * What people check first when they compare programs for API keys, each from one end to the other through the public API.
 * Other files of this folder test the details.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { importResultSchema } from '@soku/contract/imports';
import { createdKeySchema, keyListSchema } from '@soku/contract/keys';
import { selfRevocationSchema } from '@soku/contract/revocations';
import { verificationSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import { inDays, KeyCalls, withDateSoon } from '../support/key-calls.ts';
import { addAccount, openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';

const server = await sharedServer(proxyAndWebhookEnv);
const contract = await Contract.of(server);
// Other files have keys with scopes of their own in the workspaces of the two accounts.
const bob = await openSession(server, await addAccount(server));
const keys = new KeyCalls(contract, bob);

const verify = (key: string, query = '', fields: Fields = []) =>
  contract.call('GET', `/v1/verify${query}`, { key, fields });

async function assertAccepted(key: string, ...how: [query?: string, fields?: Fields]): Promise<void> {
  const response = await verify(key, ...how);
  assert.equal(response.status, 204, response.text);
}

test('own scopes: a scope of the catalog is given to a key, and required of it', async () => {
  await bob.setScopes(['invoices:read', 'invoices:write']);
  const { apiKey, key } = await bob.createKey({ name: 'own scopes', scopes: ['invoices:read'] });
  await assertAccepted(apiKey, '?scope=invoices:read');
  const rejected = await verify(apiKey, '?scope=invoices:write');
  assertProblem(rejected, 'insufficient_scope');
  assert.match(
    rejected.headers.get('www-authenticate') ?? '',
    /error="insufficient_scope".*scope="invoices:write"/,
  );
  await keys.changed(key.id, { scopes: ['invoices:*'] });
  await assertAccepted(apiKey, '?scope=invoices:read&scope=invoices:write');
});

test('reroll with a grace: the older secret works until the grace ends, and the key stays the same', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'rerolled' });
  const reroll = async (graceSeconds: number) =>
    createdKeySchema.parse(
      (await contract.call('POST', `/v1/api-keys/${key.id}/rotate`, { as: bob, body: { graceSeconds } }))
        .body,
    );
  const second = await reroll(3600);
  assert.equal(second.key.id, key.id);
  for (const secret of [apiKey, second.apiKey]) await assertAccepted(secret);
  const third = await reroll(0);
  for (const secret of [apiKey, second.apiKey]) assertProblem(await verify(secret), 'revoked_key');
  await assertAccepted(third.apiKey);
});

test('expiry: it can be set, changed and cleared', async () => {
  const { key } = await bob.createKey({ name: 'expiry', expiresAt: inDays(1) });
  const later = inDays(30);
  assert.equal((await keys.changed(key.id, { expiresAt: later })).expiresAt, later);
  assert.equal((await keys.changed(key.id, { expiresAt: null })).expiresAt, null);
  const { expiresAt: soon, body } = await withDateSoon((expiresAt) =>
    bob.call('POST', '/v1/api-keys', { name: 'expires soon', expiresAt }),
  );
  const { apiKey } = createdKeySchema.parse(body);
  const rejected = await eventually(
    () => verify(apiKey),
    ({ status }) => status !== 204,
  );
  assertProblem(rejected, 'expired_key');
  assert.ok(Date.now() >= Date.parse(soon), 'not before its date');
});

test('metadata: it is stored, changed, cleared, and returned by verification', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'metadata', metadata: { plan: 'free' } });
  const back = await bob.createKey({ name: 'back end', scopes: ['keys:verify'] });
  const returned = async () => {
    const { body } = await contract.call('POST', '/v1/verify', { key: back.apiKey, body: { apiKey } });
    return verificationSchema.parse(body).key?.metadata;
  };
  assert.deepEqual(await returned(), { plan: 'free' });
  await keys.changed(key.id, { metadata: { plan: 'pro', seats: '5' } });
  assert.deepEqual(await returned(), { plan: 'pro', seats: '5' });
  await keys.changed(key.id, { metadata: null });
  assert.deepEqual(await returned(), {});
});

test('disable: the key is rejected until it is enabled again', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'disabled' });
  await assertAccepted(apiKey);
  assert.equal((await keys.changed(key.id, { disabled: true })).status, 'disabled');
  assertProblem(await verify(apiKey), 'disabled_key');
  assert.equal((await keys.changed(key.id, { disabled: false })).status, 'active');
  await assertAccepted(apiKey);
});

test('import: a key of another system works once its hash is imported, with its policy', async () => {
  const apiKey = generateKey();
  assertProblem(await verify(apiKey), 'unknown_key');
  const hash = createHash('sha256').update(apiKey).digest('hex');
  const body = { keys: [{ name: 'imported', hash, scopes: ['keys:read'], externalId: 'customer 9' }] };
  const result = await contract.call('POST', '/v1/api-keys/import', { as: bob, body });
  assert.deepEqual(importResultSchema.parse(result.body), { imported: 1, unchanged: 0, problems: [] });
  await assertAccepted(apiKey, '?scope=keys:read');
  assert.equal((await verify(apiKey)).headers.get('x-soku-external-id'), 'customer%209');
  assertProblem(await verify(apiKey, '?scope=keys:write'), 'insufficient_scope');
});

test('self-revoke: the holder of a key can revoke it, without any scope', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'leaked' });
  const response = await contract.call('POST', '/v1/api-keys/self/revoke', { key: apiKey });
  const { id, status, revocation } = selfRevocationSchema.parse(response.body);
  assert.deepEqual([id, status, revocation.effective], [key.id, 'revoked', true]);
  assertProblem(await verify(apiKey), 'revoked_key');
  assert.equal((await keys.read(key.id)).status, 'revoked');
});

test('allowlist: a key is accepted only from its addresses and blocks, IPv4 and IPv6', async () => {
  const allowedAddresses = ['192.0.2.0/24', '2001:db8::/32'];
  const { apiKey, key } = await bob.createKey({ name: 'allowlist', allowedAddresses });
  const from = (address: string): Fields => [['X-Forwarded-For', address]];
  for (const address of ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:ffff::1'])
    await assertAccepted(apiKey, '', from(address));
  for (const address of ['192.0.3.0', '2001:db9::', '::192.0.2.1']) {
    const { message } = assertProblem(await verify(apiKey, '', from(address)), 'ip_not_allowed');
    assert.ok(message.includes('IP address'), message);
  }
  assertProblem(await verify(apiKey, '', from('unknown')), 'ip_not_allowed');
  await keys.changed(key.id, { allowedAddresses: null });
  await assertAccepted(apiKey, '', from('192.0.3.0'));
});

test('sort: the list has every order that it offers', async () => {
  const [early, late] = [inDays(3), inDays(9)];
  const made = [
    await bob.createKey({ name: 'sort b', expiresAt: late }),
    await bob.createKey({ name: 'sort c', expiresAt: early }),
    await bob.createKey({ name: 'sort a' }),
  ];
  // Keys that were used in the same five minutes are equal, so only one of them is used.
  await assertAccepted(made[1]?.apiKey ?? '');
  const namesBy = async (sort: string, order: string) => {
    const path = `/v1/api-keys?q=sort%20&sort=${sort}&order=${order}`;
    const { data } = keyListSchema.parse((await contract.call('GET', path, { as: bob })).body);
    return data.map(({ name }) => name.at(-1)).join('');
  };
  const orders = { created: ['bca', 'acb'], name: ['abc', 'cba'], expires: ['cba', 'bca'] };
  for (const [sort, expected] of Object.entries(orders))
    assert.deepEqual([await namesBy(sort, 'asc'), await namesBy(sort, 'desc')], expected, sort);
  assert.equal((await namesBy('lastUsed', 'desc')).at(0), 'c');
  assert.equal((await namesBy('usage', 'desc')).at(0), 'c');
});
