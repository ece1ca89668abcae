/** PATCH of a key: what each field does, at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { type Key, keySchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertField, inDays, KeyCalls, withDateSoon } from '../support/key-calls.ts';
import { withinOneMinute } from '../support/limits.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { fewKeysEnv, maxFewKeys, sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer(fewKeysEnv);
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const [keys, bobsKeys] = [new KeyCalls(contract, ada), new KeyCalls(contract, bob)];

/** Sets the time at which a key expired, before its first use, so that no server has cached it. */
async function expire(id: string): Promise<void> {
  await runSql(server, 'UPDATE api_key SET expires_at = ? WHERE id = ?', Date.now() - msPerDay, id);
}

test('each field can be set and cleared, and the others stay as they were', async () => {
  const { key } = await ada.createKey({ name: 'all fields' });
  const expiresAt = inDays(10);
  const steps = [
    [{ expiresAt }, { expiresAt }, { expiresAt: null }],
    [{ scopes: ['keys:read'] }, { scopes: ['keys:read'] }, { scopes: [] }],
    [
      { allowedAddresses: ['::FFFF:192.0.2.1', '10.0.0.0/8', '192.0.2.1/32'] },
      { allowedAddresses: ['10.0.0.0/8', '192.0.2.1'] },
      { allowedAddresses: [] },
    ],
    [{ rateLimit: 7 }, { rateLimit: 7 }, { rateLimit: null }],
    [{ externalId: ' customer 7 ' }, { externalId: 'customer 7' }, { externalId: null }],
    [{ metadata: { team: 'a' } }, { metadata: { team: 'a' } }, { metadata: {} }],
  ] as const;
  let expected = key;
  for (const [body, set] of steps) {
    expected = { ...expected, ...set } as Key;
    assert.deepEqual(await keys.changed(key.id, body), expected);
  }
  for (const [body, , cleared] of steps) {
    expected = { ...expected, ...cleared } as Key;
    const field = Object.keys(body)[0] ?? '';
    assert.deepEqual(await keys.changed(key.id, { [field]: null }), expected);
  }
  assert.deepEqual(expected, key);
});

test('a new expiry applies to the next request, in both directions', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'expiring', expiresAt: inDays(1) });
  assert.equal((await keys.use(apiKey)).status, 200);
  const { expiresAt: soon, body } = await withDateSoon((expiresAt) => keys.change(key.id, { expiresAt }));
  assert.equal(keySchema.parse(body).expiresAt, soon);
  let response = await keys.use(apiKey);
  while (response.status === 200) response = await keys.use(apiKey);
  assertProblem(response, 'expired_key');
  assert.ok(Date.now() >= Date.parse(soon));
  assert.equal((await keys.read(key.id)).status, 'expired');
  assert.equal((await keys.changed(key.id, { expiresAt: inDays(2) })).status, 'active');
  assert.equal((await keys.use(apiKey)).status, 200);
  assert.equal((await keys.changed(key.id, { expiresAt: null })).expiresAt, null);
  assert.equal((await keys.use(apiKey)).status, 200);
  assertField(await keys.change(key.id, { expiresAt: '2020-01-01T00:00:00Z' }), 'expiresAt', /future/);
  assertField(await keys.change(key.id, { expiresAt: 'never' }), 'expiresAt', /date and time/);
});

test('only people can give an expired key a later date', async () => {
  const manager = await ada.createKey({ name: 'manager', scopes: ['keys:write'] });
  for (const expiresAt of [inDays(1), null]) {
    const { apiKey, key } = await ada.createKey({ name: 'to revive', expiresAt: inDays(1) });
    await expire(key.id);
    assertProblem(await keys.change(key.id, { expiresAt }, manager.apiKey), 'session_required');
    assert.equal((await keys.change(key.id, { name: 'renamed' }, manager.apiKey)).status, 200);
    assertProblem(await keys.use(apiKey), 'expired_key');
    assert.equal((await keys.changed(key.id, { expiresAt })).status, 'active');
    assert.equal((await keys.use(apiKey)).status, 200);
  }
});

test('an expired key that would exceed the maximum number of active keys stays expired', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'one too many', expiresAt: inDays(1) });
  await expire(key.id);
  const others: string[] = [];
  for (let i = 0; i < 5; i++) {
    const other = (await bob.createKey({ name: 'another', expiresAt: inDays(1) })).key.id;
    await expire(other);
    others.push(other);
  }
  await runSql(
    server,
    `INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${maxFewKeys})
     SELECT 'key_00000000000' || (100000000000000 + i), workspace_id, created_by, 'filler', 'filler', '', 1
     FROM n, api_key WHERE id = ?`,
    key.id,
  );
  assertProblem(await bobsKeys.change(key.id, { expiresAt: inDays(1) }), 'key_quota_reached');
  assertProblem(await keys.use(apiKey), 'expired_key');
  // An active key is counted already.
  const filler = `key_00000000000${100000000000001}`;
  assert.equal((await bobsKeys.change(filler, { expiresAt: inDays(1) })).status, 200);
  assert.equal((await bobsKeys.change(filler, { disabled: true })).status, 200);
  assertProblem(await bobsKeys.change(key.id, { expiresAt: null }), 'key_quota_reached');
  await bob.revoke(filler);
  const responses = await Promise.all(others.map((id) => bobsKeys.change(id, { expiresAt: null })));
  assert.equal(responses.filter(({ status }) => status === 200).length, 1, 'only one of them fits');
  for (const id of others) await bob.revoke(id);
  assert.equal((await bobsKeys.change(key.id, { expiresAt: null })).status, 200);
  assert.equal((await keys.use(apiKey)).status, 200);
  await runSql(server, "UPDATE api_key SET expires_at = 1 WHERE name = 'filler' AND revoked_at IS NULL");
});

test('a disabled key is rejected at once, until it is enabled', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'to disable' });
  assert.equal((await keys.use(apiKey)).status, 200);
  const before = Date.now();
  const first = keySchema.parse((await keys.change(key.id, { disabled: true })).body);
  assert.equal(first.status, 'disabled');
  assert.ok(Date.parse(first.disabledAt ?? '') >= before);
  for (const path of ['/v1/me', '/v1/verify', '/v1/api-keys']) {
    assertProblem(await contract.call('GET', path, { key: apiKey }), 'disabled_key');
  }
  const again = keySchema.parse((await keys.change(key.id, { disabled: true })).body);
  assert.equal(again.disabledAt, first.disabledAt, 'the time of the first call');
  assert.equal((await keys.change(key.id, { name: 'still disabled' })).status, 200);
  assertProblem(await keys.use(apiKey), 'disabled_key');
  const enabled = keySchema.parse((await keys.change(key.id, { disabled: false })).body);
  assert.deepEqual([enabled.status, enabled.disabledAt], ['active', null]);
  assert.equal((await keys.use(apiKey)).status, 200);
  assert.equal((await keys.change(key.id, { disabled: false })).status, 200);
  assertField(await keys.change(key.id, { disabled: null }), 'disabled', /boolean/);
});

test('rejections come in the order revoked, expired, disabled, address, scope, limit, and use no quota', async () => {
  const allowedAddresses = ['192.0.2.1'];
  const expiresAt = inDays(1);
  const restricted = async () => {
    const created = await ada.createKey({ name: 'restricted', allowedAddresses, expiresAt, rateLimit: 1 });
    await keys.change(created.key.id, { disabled: true });
    await expire(created.key.id);
    return created;
  };
  const revoked = await restricted();
  await ada.revoke(revoked.key.id);
  assertProblem(await keys.use(revoked.apiKey), 'revoked_key');
  assert.equal((await keys.read(revoked.key.id)).status, 'revoked');

  await withinOneMinute(async () => {
    const { apiKey, key } = await restricted();
    const list = () => contract.call('GET', '/v1/api-keys', { key: apiKey });
    assertProblem(await list(), 'expired_key');
    assert.equal((await keys.changed(key.id, { expiresAt: null })).status, 'disabled');
    assertProblem(await list(), 'disabled_key');
    await keys.changed(key.id, { disabled: false });
    assertProblem(await list(), 'ip_not_allowed');
    await keys.changed(key.id, { allowedAddresses: null });
    assertProblem(await list(), 'insufficient_scope');
    await keys.changed(key.id, { scopes: ['keys:read'] });
    assert.equal((await list()).status, 200, 'the rejected requests used no quota');
    assertProblem(await list(), 'rate_limited');
  });
});

test('of a revoked key, only the name and the metadata can be changed', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'revoked', expiresAt: inDays(1), externalId: 'a' });
  await ada.revoke(key.id);
  const before = await keys.read(key.id);
  for (const body of [
    { expiresAt: null },
    { disabled: true },
    { disabled: false },
    { scopes: [] },
    { allowedAddresses: [] },
    { rateLimit: 5 },
    { externalId: null },
  ]) {
    const [field = ''] = Object.keys(body);
    for (const all of [body, { name: 'x', ...body }]) {
      const { message, details } = assertProblem(await keys.change(key.id, all), 'key_revoked');
      assert.equal(details?.[0]?.path, field);
      assert.ok(message.includes(field));
    }
  }
  assert.deepEqual(await keys.read(key.id), before);
  const after = await keys.changed(key.id, { name: 'old integration', metadata: { why: 'leaked' } });
  assert.deepEqual(after, { ...before, name: 'old integration', metadata: { why: 'leaked' } });
  assertProblem(await keys.use(apiKey), 'revoked_key');
});
