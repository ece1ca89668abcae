/** The secrets of a rotated key: retired one by one, listed, found. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { assertProblem } from '../support/contract.ts';
import { Rotations, retirePath } from '../support/rotation.ts';
import { runSql } from '../support/run-sql.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const rotations = await Rotations.on(server);

test('retiring a secret ends it when the call returns, and a repeated call returns the same', async () => {
  const { apiKey, key } = await rotations.create();
  const second = await rotations.rotate(key.id);
  const third = await rotations.rotate(key.id);
  await rotations.assertAccepted(apiKey, second.apiKey, third.apiKey);
  const secretId = second.key.secrets[0]?.id ?? '';
  const retired = await rotations.tryRetire(key.id, secretId);
  assert.equal(retired.status, 200, retired.text);
  await rotations.assertRetired(second.apiKey);
  await rotations.assertAccepted(apiKey, third.apiKey);
  const shown = keySchema.parse(retired.body);
  assert.notEqual(shown.secrets.find(({ id }) => id === secretId)?.retiredAt, null);
  const again = await rotations.tryRetire(key.id, secretId);
  assert.deepEqual(
    keySchema.parse(again.body).secrets.map(({ id, retiredAt }) => [id, retiredAt]),
    shown.secrets.map(({ id, retiredAt }) => [id, retiredAt]),
  );
  const retirements = (await rotations.eventsOf(key.id)).filter(
    ({ action }) => action === 'key.secret_retired',
  );
  assert.deepEqual(retirements, [
    { action: 'key.secret_retired', by: 'person', details: { secretId, reason: 'requested' } },
  ]);
  assert.ok(rotations.isInJournal(second.apiKey) && !rotations.isInJournal(apiKey));
});

test('the newest secret cannot be retired, and unknown ones are not found', async () => {
  const { apiKey, key } = await rotations.create();
  const other = await rotations.create();
  assertProblem(await rotations.tryRetire(key.id, key.secrets[0]?.id), 'newest_secret');
  assertProblem(await rotations.tryRetire(key.id, `sec_${'0'.repeat(26)}`), 'not_found');
  assertProblem(await rotations.tryRetire(key.id, other.key.secrets[0]?.id), 'not_found');
  assertProblem(await rotations.tryRetire(`key_${'0'.repeat(26)}`, key.secrets[0]?.id), 'not_found');
  assertProblem(await rotations.tryRetire(key.id, 'sec_x'), 'invalid_request');
  await rotations.assertAccepted(apiKey, other.apiKey);
});

test('a key without keys:read that retires a secret of another key does not see that key', async () => {
  const { apiKey, key } = await rotations.create();
  await rotations.rotate(key.id);
  const { apiKey: writer } = await rotations.create({ scopes: ['keys:write'] });
  const secretId = key.secrets[0]?.id ?? '';
  const response = await rotations.contract.call('POST', retirePath(key.id, secretId), { key: writer });
  assert.deepEqual(response.body, { id: key.id, secretId, secretStatus: 'retired' });
  await rotations.assertRetired(apiKey);
});

test('at most 20 secrets are listed, but always all that are not retired', async () => {
  const { apiKey, key } = await rotations.create();
  await runSql(server, 'UPDATE api_key_secret SET created_at = created_at - 1000 WHERE key_id = ?', key.id);
  for (let i = 0; i < 22; i++) {
    const { key: rotated } = await rotations.rotate(key.id);
    // All but the oldest one.
    if (i > 0) await rotations.tryRetire(key.id, rotated.secrets[1]?.id);
  }
  const { secrets } = await rotations.show(key.id);
  assert.equal(secrets.length, 21);
  assert.equal(secrets.at(-1)?.id, key.secrets[0]?.id);
  assert.equal(secrets.filter(({ retiredAt }) => retiredAt === null).length, 2);
  const times = secrets.map(({ createdAt }) => createdAt);
  assert.deepEqual(times, times.toSorted().reverse(), 'newest first');
  await rotations.assertAccepted(apiKey);
});

test('a rotated key is found by the hash of each of its secrets, and shows its newest preview', async () => {
  const { apiKey, key } = await rotations.create();
  const rotated = await rotations.rotate(key.id, { graceSeconds: 0 });
  for (const one of [apiKey, rotated.apiKey]) {
    const hash = createHash('sha256').update(one).digest('hex');
    const { body } = await rotations.contract.call('GET', `/v1/api-keys?hash=${hash}`, {
      as: rotations.person,
    });
    assert.deepEqual(body, { data: [await rotations.show(key.id)], nextCursor: null });
  }
});

test('a revoke of a rotated key ends all of its secrets', async () => {
  const { apiKey, key } = await rotations.create();
  const rotated = await rotations.rotate(key.id);
  await rotations.assertAccepted(apiKey, rotated.apiKey);
  await rotations.person.revoke(key.id);
  for (const one of [apiKey, rotated.apiKey])
    assert.match(assertProblem(await rotations.verify(one), 'revoked_key').message, /was revoked/);
});

test('usage counts the requests of each secret', async () => {
  const { apiKey, key } = await rotations.create();
  await rotations.assertAccepted(apiKey, apiKey, apiKey);
  const second = await rotations.rotate(key.id);
  await rotations.assertAccepted(apiKey, second.apiKey);
  const usage = async () => {
    const path = `/v1/api-keys/${key.id}/usage`;
    const { body } = await rotations.contract.call('GET', path, { as: rotations.person });
    const { accepted, refusedBy, secrets } = usageSchema.parse(body);
    return { accepted, refusedBy, secrets: secrets.map((one) => [one.id, one.accepted]) };
  };
  const ids = second.key.secrets.map(({ id }) => id);
  assert.deepEqual(await usage(), {
    accepted: 5,
    refusedBy: {},
    secrets: [
      [ids[0], 1],
      [ids[1], 4],
    ],
  });
  await rotations.tryRetire(key.id, ids[1]);
  await rotations.assertRetired(apiKey);
  assert.deepEqual(await usage(), {
    accepted: 5,
    refusedBy: { revoked_key: 1 },
    secrets: [
      [ids[0], 1],
      [ids[1], 4],
    ],
  });
});
