/** Rotation: a key gets a new secret, and its older ones end when the call says so, and not later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CreatedKey, createdKeySchema } from '@soku/contract/keys';
import { assertProblem } from '../support/contract.ts';
import { Rotations, retirePath } from '../support/rotation.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const rotations = await Rotations.on(server);

test('a rotation gives the key a new secret, and the older one works until the grace is over', async () => {
  const { apiKey, key } = await rotations.create({
    scopes: ['keys:read'],
    expiresAt: '2090-01-01T00:00:00.000Z',
  });
  await rotations.assertAccepted(apiKey);
  const before = Date.now();
  const rotated = await rotations.rotate(key.id);
  assert.notEqual(rotated.apiKey, apiKey);
  const [newest, older, ...rest] = rotated.key.secrets;
  assert.ok(newest && older && rest.length === 0);
  assert.deepEqual(
    { ...rotated.key, preview: '', secrets: [], lastUsedAt: null },
    { ...key, preview: '', secrets: [] },
    'the rest of the key stays',
  );
  assert.equal(rotated.key.preview, newest.preview);
  assert.equal(newest.preview, `${rotated.apiKey.slice(0, 11)}...${rotated.apiKey.slice(-3)}`);
  assert.deepEqual([newest.retiresAt, newest.retiredAt, newest.graceSeconds], [null, null, null]);
  assert.equal(older.id, key.secrets[0]?.id);
  const grace = Date.parse(older.retiresAt ?? '') - before;
  assert.ok(grace >= 86_400_000 && grace < 86_460_000, 'a day by default');
  assert.equal(older.retiredAt, null);
  await rotations.assertAccepted(apiKey, rotated.apiKey);
  assert.deepEqual(await rotations.eventsOf(key.id), [
    {
      action: 'key.rotated',
      by: 'person',
      details: { secretId: newest.id, graceSeconds: 86_400, startGrace: 'now' },
    },
  ]);
});

test('without a body, a rotation has the default grace', async () => {
  const { key } = await rotations.create();
  const response = await rotations.contract.call('POST', `/v1/api-keys/${key.id}/rotate`, {
    as: rotations.person,
  });
  assert.equal(response.status, 201, response.text);
});

test('with a grace of 0, the older secrets are retired when the call returns', async () => {
  const { apiKey, key } = await rotations.create();
  const second = await rotations.rotate(key.id);
  await rotations.assertAccepted(apiKey, second.apiKey);
  const third = await rotations.rotate(key.id, { graceSeconds: 0 });
  await rotations.assertRetired(apiKey, second.apiKey);
  await rotations.assertAccepted(third.apiKey);
  const [newest, ...older] = third.key.secrets;
  assert.ok(older.length === 2 && older.every(({ retiredAt }) => retiredAt !== null));
  for (const ended of [apiKey, second.apiKey]) assert.ok(rotations.isInJournal(ended));
  assert.ok(!rotations.isInJournal(third.apiKey));
  const retirements = (await rotations.eventsOf(key.id)).filter(
    ({ action }) => action === 'key.secret_retired',
  );
  assert.deepEqual(
    new Set(retirements.map(({ details }) => details?.secretId)),
    new Set(older.map(({ id }) => id)),
  );
  assert.ok(retirements.every(({ details, by }) => details?.reason === 'rotated' && by === 'person'));
  assert.equal(newest?.retiredAt, null);
});

test('a later rotation never extends the end of a secret, but can shorten it', async () => {
  const { key } = await rotations.create();
  const endOf = (rotated: CreatedKey, secret: string | undefined) =>
    Date.parse(rotated.key.secrets.find(({ id }) => id === secret)?.retiresAt ?? '');
  const [first] = key.secrets;
  const short = await rotations.rotate(key.id, { graceSeconds: 3600 });
  const long = await rotations.rotate(key.id, { graceSeconds: 2_592_000 });
  assert.equal(endOf(long, first?.id), endOf(short, first?.id));
  const second = short.key.secrets[0]?.id;
  assert.ok(endOf(long, second) > endOf(long, first?.id));
  const shortest = await rotations.rotate(key.id, { graceSeconds: 60 });
  for (const id of [first?.id, second]) assert.ok(endOf(shortest, id) < endOf(long, first?.id));
});

test('a secret whose grace is over is rejected', async () => {
  const { apiKey, key } = await rotations.create();
  const rotated = await rotations.rotate(key.id, { graceSeconds: 60 });
  const older = rotated.key.secrets[1]?.id ?? '';
  await runSql(server, 'UPDATE api_key_secret SET retires_at = ? WHERE id = ?', Date.now() - 1, older);
  await rotations.rotate(key.id, { graceSeconds: 60 });
  await rotations.assertRetired(apiKey);
  await rotations.assertAccepted(rotated.apiKey);
});

test('grace and start are checked', async () => {
  const { apiKey, key } = await rotations.create();
  const bodies = [
    [{ graceSeconds: -1 }, 'graceSeconds'],
    [{ graceSeconds: 2_592_001 }, 'graceSeconds'],
    [{ graceSeconds: 1.5 }, 'graceSeconds'],
    [{ graceSeconds: '60' }, 'graceSeconds'],
    [{ graceSeconds: null }, 'graceSeconds'],
    [{ startGrace: 'later' }, 'startGrace'],
    [{ graceSeconds: 0, startGrace: 'firstUse' }, 'startGrace'],
    [{ grace: 60 }, 'body'],
  ] as const;
  for (const [body, path] of bodies) {
    const error = assertProblem(await rotations.tryRotate(key.id, { body }), 'invalid_request');
    assert.equal(error.details?.[0]?.path, path, JSON.stringify(body));
  }
  assert.equal((await rotations.show(key.id)).secrets.length, 1);
  await rotations.assertAccepted(apiKey);
});

test('a disabled key can be rotated and stays disabled', async () => {
  const { key } = await rotations.create();
  await rotations.contract.call('PATCH', `/v1/api-keys/${key.id}`, {
    as: rotations.person,
    body: { disabled: true },
  });
  const rotated = await rotations.rotate(key.id, { graceSeconds: 0 });
  assert.equal(rotated.key.status, 'disabled');
  assertProblem(await rotations.verify(rotated.apiKey), 'disabled_key');
});

test('a revoked key and an expired one cannot be rotated', async () => {
  const revoked = await rotations.create();
  await rotations.person.revoke(revoked.key.id);
  const expired = await rotations.create();
  await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', expired.key.id);
  for (const [{ key }, code] of [
    [revoked, 'key_revoked'],
    [expired, 'key_expired'],
  ] as const) {
    for (const graceSeconds of [0, 60])
      assertProblem(await rotations.tryRotate(key.id, { body: { graceSeconds } }), code);
    assert.equal((await rotations.show(key.id)).secrets.length, 1);
    assert.deepEqual(
      (await rotations.eventsOf(key.id)).filter(({ action }) => action === 'key.rotated'),
      [],
    );
  }
});

test('a key has at most 5 secrets that are not retired; lapsed ones do not count', async () => {
  const { key } = await rotations.create();
  for (let i = 1; i < 5; i++) await rotations.rotate(key.id);
  const error = assertProblem(await rotations.tryRotate(key.id), 'too_many_secrets');
  assert.match(error.message, /5 secrets/);
  assertProblem(await rotations.tryRotate(key.id, { body: { startGrace: 'firstUse' } }), 'too_many_secrets');
  const oldest = key.secrets[0]?.id ?? '';
  await runSql(server, 'UPDATE api_key_secret SET retires_at = ? WHERE id = ?', Date.now() - 1, oldest);
  await rotations.rotate(key.id);
  assertProblem(await rotations.tryRotate(key.id), 'too_many_secrets');
  const single = await rotations.rotate(key.id, { graceSeconds: 0 });
  assert.equal(single.key.secrets.filter(({ retiredAt }) => retiredAt === null).length, 1);
  await rotations.rotate(key.id);
});

test('concurrent rotations leave at most 5 secrets, and one newest', async () => {
  const { apiKey, key } = await rotations.create();
  const responses = await Promise.all(Array.from({ length: 8 }, () => rotations.tryRotate(key.id)));
  const rotated = responses.filter(({ status }) => status === 201);
  assert.equal(rotated.length, 4);
  for (const response of responses.filter(({ status }) => status !== 201))
    assertProblem(response, 'too_many_secrets');
  const { secrets } = await rotations.show(key.id);
  assert.equal(secrets.filter(({ retiresAt }) => retiresAt === null).length, 1);
  assert.equal(secrets[0]?.retiresAt, null, 'the newest one');
  assert.equal(new Set(secrets.map(({ createdAt }) => createdAt)).size, 5, 'their order is clear');
  await rotations.assertAccepted(apiKey, ...rotated.map(({ body }) => createdKeySchema.parse(body).apiKey));
});

test('a repeated call with the same Idempotency-Key does not retire the secret that no one saw', async () => {
  const { apiKey, key } = await rotations.create();
  const first = await rotations.tryRotate(key.id, { body: { graceSeconds: 0 }, token: 'rotate-1' });
  const { apiKey: unseen } = createdKeySchema.parse(first.body);
  for (const body of [{ graceSeconds: 0 }, {}]) {
    const again = await rotations.tryRotate(key.id, { body, token: 'rotate-1' });
    const error = assertProblem(again, 'idempotency_replayed');
    assert.equal(error.details?.[0]?.keyId, key.id);
    assert.match(error.message, /rotate the key again/);
  }
  await rotations.assertRetired(apiKey);
  await rotations.assertAccepted(unseen);
  const racing = await Promise.all(
    Array.from({ length: 10 }, () => rotations.tryRotate(key.id, { token: 'rotate-race' })),
  );
  assert.equal(racing.filter(({ status }) => status === 201).length, 1);
  assert.equal((await rotations.show(key.id)).secrets.length, 3);
  assertProblem(
    await rotations.tryRotate(key.id, { body: { graceSeconds: -1 }, token: 'second try' }),
    'invalid_request',
  );
  assert.equal((await rotations.tryRotate(key.id, { token: 'second try' })).status, 201);
});

test('a person needs a recent sign-in to rotate a key, but not to retire a secret', async () => {
  const { key } = await rotations.create();
  await rotations.rotate(key.id);
  const aged = await openSession(server);
  await runSql(
    server,
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString(),
    aged.storedToken,
  );
  const path = `/v1/api-keys/${key.id}/rotate`;
  assertProblem(await rotations.contract.call('POST', path, { as: aged, body: {} }), 'recent_login_required');
  const retired = await rotations.contract.call('POST', retirePath(key.id, key.secrets[0]?.id), { as: aged });
  assert.equal(retired.status, 200, retired.text);
});

test('a key can rotate itself and keys that it covers, and no others', async () => {
  const manager = await rotations.create({
    scopes: ['keys:write', 'keys:read'],
    allowedAddresses: ['127.0.0.1', '::1'],
  });
  const covered = await rotations.create({ scopes: ['keys:read'], allowedAddresses: ['127.0.0.1'] });
  const stronger = await rotations.create({
    scopes: ['keys:read', 'keys:verify'],
    allowedAddresses: ['127.0.0.1'],
  });
  const elsewhere = await rotations.create();
  const by = (id: string, key = manager.apiKey) => rotations.tryRotate(id, { key });
  const rotated = await by(covered.key.id);
  assert.equal(createdKeySchema.parse(rotated.body).key.id, covered.key.id);
  assert.deepEqual((await rotations.eventsOf(covered.key.id))[0]?.by, 'key');
  assertProblem(await by(stronger.key.id), 'insufficient_scope');
  const error = assertProblem(await by(elsewhere.key.id), 'invalid_request');
  assert.equal(error.details?.[0]?.path, 'allowedAddresses');
  for (const { key } of [stronger, elsewhere]) assert.equal((await rotations.show(key.id)).secrets.length, 1);
  const own = createdKeySchema.parse((await by(manager.key.id)).body);
  assert.equal((await by(covered.key.id, own.apiKey)).status, 201);
  assertProblem(
    await by(covered.key.id, (await rotations.create({ scopes: ['keys:read'] })).apiKey),
    'insufficient_scope',
  );
});
