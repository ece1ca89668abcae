/** The holder of a key can revoke it, whatever state it is in. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import type { CreateKey } from '@soku/contract/key-requests';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { selfRevocationSchema } from '@soku/contract/revocations';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { runSql } from '../support/run-sql.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const server = await startServer({
  env: { TRUST_PROXY: '127.0.0.1', SOKU_TEST_KEY_PREFIX: 'sk_test_', SOKU_ADDRESS_RATE_LIMIT: '3' },
});
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);

let addresses = 0;
/** An address that no other test uses. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

const create = (input: Partial<CreateKey> = {}) => ada.createKey({ name: 'leaked', ...input });
const revokeSelf = (
  key: string,
  { body, address = newAddress() }: { body?: object; address?: string } = {},
) =>
  contract.call('POST', '/v1/api-keys/self/revoke', {
    key,
    ...(body && { body }),
    fields: [['X-Forwarded-For', address]],
  });

async function assertRevokes(apiKey: string, id: string, body?: object): Promise<void> {
  const response = await revokeSelf(apiKey, { ...(body && { body }) });
  assert.equal(response.status, 200, response.text);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const result = selfRevocationSchema.parse(response.body);
  assert.deepEqual([result.id, result.status, result.revocation.effective], [id, 'revoked', true]);
  const me = await contract.call('GET', '/v1/me', { key: apiKey });
  assertProblem(me, 'revoked_key');
}

async function get(id: string) {
  return keySchema.parse((await contract.call('GET', `/v1/api-keys/${id}`, { as: ada })).body);
}

test('a key without scopes revokes itself, with a reason, and a repeated call returns the same', async () => {
  const { apiKey, key } = await create();
  await assertRevokes(apiKey, key.id, { reason: 'leaked' });
  await assertRevokes(apiKey, key.id, { reason: 'other' });
  await assertRevokes(apiKey, key.id);
  assert.equal((await get(key.id)).revokedReason, 'leaked');
  const { body } = await contract.call('GET', `/v1/audit?targetId=${key.id}&action=key.revoked`, { as: ada });
  const [event, ...others] = auditPageSchema.parse(body).data;
  assert.ok(event && others.length === 0);
  assert.deepEqual([event.actor.kind, event.actor.id, event.actor.name], ['key', key.id, 'leaked']);
  assert.match(event.actor.address ?? '', /^198\.51\.100\./);
  assert.deepEqual(event.details, { reason: 'leaked' });
});

test('restrictions of a key do not prevent its revoke', async () => {
  for (const input of [
    { allowedAddresses: ['192.0.2.1'] },
    { environment: 'test' as const },
    { rateLimit: 1 },
    { expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
  ]) {
    const { apiKey, key } = await create(input);
    // Cached, and over its limit of one request, before the revoke.
    for (let i = 0; i < 2; i++) await contract.call('GET', '/v1/me', { key: apiKey });
    if ('expiresAt' in input) {
      await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', key.id);
    }
    await assertRevokes(apiKey, key.id);
  }
  const { apiKey, key } = await create();
  await ada.call('PATCH', `/v1/api-keys/${key.id}`, { disabled: true });
  await assertRevokes(apiKey, key.id);
});

test('a secret that is not the newest one retires only itself', async () => {
  const { apiKey: older, key } = await create();
  const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 3600 });
  const { apiKey: newest } = createdKeySchema.parse(rotated.body);
  // The second call has a retired secret, and returns the same.
  for (let i = 0; i < 2; i++) {
    const result = selfRevocationSchema.parse((await revokeSelf(older)).body);
    assert.deepEqual([result.id, result.status], [key.id, 'active']);
    assertProblem(await contract.call('GET', '/v1/me', { key: older }), 'revoked_key');
    assert.equal((await contract.call('GET', '/v1/me', { key: newest })).status, 200);
  }
  const { secrets } = await get(key.id);
  assert.deepEqual(
    secrets.map(({ retiredAt }) => retiredAt === null),
    [true, false],
  );
  const { body } = await contract.call('GET', `/v1/audit?targetId=${key.id}&action=key.secret_retired`, {
    as: ada,
  });
  const events = auditPageSchema.parse(body).data;
  assert.deepEqual(
    events.map(({ actor, details }) => [actor.id, details?.secretId]),
    [[key.id, secrets[1]?.id]],
  );
  await assertRevokes(newest, key.id);
  await assertRevokes(older, key.id);
});

test('concurrent calls with both secrets of a key end both', async () => {
  const { apiKey: older, key } = await create();
  const rotated = await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 3600 });
  const { apiKey: newest } = createdKeySchema.parse(rotated.body);
  const responses = await Promise.all([older, newest, older, newest].map((apiKey) => revokeSelf(apiKey)));
  for (const response of responses) assert.equal(response.status, 200, response.text);
  for (const apiKey of [older, newest])
    assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
  assert.equal((await get(key.id)).status, 'revoked');
});

test('credentials other than a known key get the usual error, and a session is not accepted', async () => {
  const path = '/v1/api-keys/self/revoke';
  const { apiKey } = await create();
  const address = () => [['X-Forwarded-For', newAddress()]] as [string, string][];
  assertProblem(await revokeSelf(generateKey()), 'unknown_key');
  assertProblem(await revokeSelf(`${apiKey.slice(0, -1)}_`), 'malformed_key');
  assertProblem(await revokeSelf('x'.repeat(100)), 'malformed_key');
  const error = assertProblem(await contract.call('POST', path, { as: ada }), 'missing_authorization');
  assert.match(error.message, /Authorization: Bearer/);
  assertProblem(
    await contract.call('POST', `${path}?api_key=${apiKey}`, { fields: address() }),
    'key_in_query',
  );
  const inHeader: [string, string][] = [...address(), ['X-API-Key', apiKey]];
  assertProblem(await contract.call('POST', path, { fields: inHeader }), 'wrong_header');
  assertProblem(await revokeSelf(apiKey, { body: { reason: 'because' } }), 'invalid_request');
  assertProblem(await revokeSelf(apiKey, { body: { all: true } }), 'invalid_request');
  assert.equal((await contract.call('GET', '/v1/me', { key: apiKey })).status, 200);
});

test('guesses, and repeated calls with a revoked key, are limited per address', async () => {
  const address = newAddress();
  for (let i = 0; i < 3; i++) assertProblem(await revokeSelf(generateKey(), { address }), 'unknown_key');
  assertProblem(await revokeSelf(generateKey(), { address }), 'rate_limited');
  const { apiKey, key } = await create();
  const other = newAddress();
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push((await revokeSelf(apiKey, { address: other })).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);
  // A valid key can be revoked from an address that is over the limit.
  const last = await create();
  assert.equal((await revokeSelf(last.apiKey, { address })).status, 200);
  assert.equal((await get(key.id)).status, 'revoked');
});
