/** All keys of a workspace are revoked by one call, in many transactions. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema, keyListSchema } from '@soku/contract/keys';
import { revokedWorkspaceSchema } from '@soku/contract/revocations';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { decodeJournal } from '../support/journal-files.ts';
import { insertManyKeys } from '../support/many-keys.ts';
import { bearer, call, type Person } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, startWithTwoAccounts } from '../support/two-accounts.ts';

type CreatedKey = ReturnType<typeof createdKeySchema.parse>;

const server = await sharedServer();
const contract = await Contract.of(server);
// Other files have keys in the workspaces of the two accounts.
const [revoking, another] = [await addAccount(server), await addAccount(server)];
const [ada, bob] = [await openSession(server, revoking), await openSession(server, another)];

async function revokeAll(as: Person = ada, body: object = {}, token?: string) {
  const response = await contract.call('POST', '/v1/api-keys/revoke', {
    as,
    body: { all: true, ...body },
    ...(token !== undefined && { fields: [['Idempotency-Key', token]] }),
  });
  assert.equal(response.status, 200, response.text);
  return revokedWorkspaceSchema.parse(response.body);
}

const use = async ({ apiKey }: CreatedKey, url = server.url) =>
  (await call(`${url}/v1/verify`, { headers: bearer(apiKey) })).status;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const isMarked = async () =>
  (await runSql(server, 'SELECT id FROM workspace WHERE revoking_at IS NOT NULL')).length > 0;

async function statusesOf(as: Person, keys: readonly CreatedKey[]) {
  const { body } = await contract.call('GET', '/v1/api-keys?status=all', { as });
  const { data } = keyListSchema.parse(body);
  return keys.map(({ key }) => data.find(({ id }) => id === key.id)?.status);
}

test('all keys of the workspace are revoked, whatever their status, and none of another one', async () => {
  const [active, disabled, revoked] = [
    await ada.createKey({ name: 'active' }),
    await ada.createKey({ name: 'disabled' }),
    await ada.createKey({ name: 'revoked' }),
  ];
  const foreign = await bob.createKey({ name: "bob's" });
  await ada.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { disabled: true });
  await ada.revoke(revoked.key.id);
  assert.equal(await use(active), 204);

  const result = await revokeAll(ada, { reason: 'leaked' });

  assert.deepEqual([result.revoked, result.alreadyRevoked], [2, 1]);
  assert.equal(result.revocation.effective, true);
  assert.deepEqual(await statusesOf(ada, [active, disabled, revoked]), ['revoked', 'revoked', 'revoked']);
  for (const { apiKey } of [active, disabled])
    assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
  assert.equal(await use(foreign), 204);
  assert.equal(await isMarked(), false);
  const journal = decodeJournal(readFileSync(join(server.dataDir, 'revoked-hashes')));
  for (const { apiKey } of [active, disabled, revoked]) assert.ok(journal.includes(sha256(apiKey)));
  assert.ok(!journal.includes(sha256(foreign.apiKey)));

  const again = await revokeAll();
  assert.deepEqual([again.revoked, again.alreadyRevoked], [0, 3]);
});

test('the revoke of all keys has one event, which the log of each of these keys contains', async () => {
  const key = await ada.createKey({ name: 'in the log' });
  const earlier = await ada.createKey({ name: 'revoked before' });
  await ada.revoke(earlier.key.id);
  await revokeAll(ada, { reason: 'person_left' });

  const logOf = async ({ key: { id } }: CreatedKey) => {
    const { body } = await contract.call('GET', `/v1/audit?keyId=${id}`, { as: ada });
    return auditPageSchema.parse(body).data;
  };
  const [event, created, ...others] = await logOf(key);
  assert.deepEqual(others, []);
  assert.equal(created?.action, 'key.created');
  assert.equal(event?.action, 'workspace.keys_revoked');
  assert.equal(event.target.kind, 'workspace');
  assert.deepEqual(event.details, { keys: 1, reason: 'person_left' });
  const actions = (await logOf(earlier)).map(({ action }) => action);
  assert.deepEqual(actions, ['key.revoked', 'key.created']);
});

test('only people can revoke all keys', async () => {
  const key = await ada.createKey({ name: 'writer', scopes: ['keys:write'] });
  const call = { key: key.apiKey, body: { all: true } };
  assertProblem(await contract.call('POST', '/v1/api-keys/revoke', call), 'session_required');
  assert.equal(await use(key), 204);
});

test('a call revokes either all keys or those that it names', async () => {
  const key = await ada.createKey({ name: 'named' });
  for (const body of [
    { all: true, ids: [key.key.id] },
    { all: false },
    { all: 'true' },
    { all: false, ids: [key.key.id] },
  ]) {
    const response = await contract.call('POST', '/v1/api-keys/revoke', { as: ada, body });
    assertProblem(response, 'invalid_request');
  }
  assert.equal(await use(key), 204);
});

test('a repeated call with the same Idempotency-Key revokes no key that was created after the first', async () => {
  const before = await ada.createKey({ name: 'before' });
  await contract.call('POST', '/v1/api-keys', {
    as: ada,
    body: { name: 'created with the same text' },
    fields: [['Idempotency-Key', 'panic']],
  });
  await revokeAll(ada, {}, 'panic');
  assert.equal(await use(before), 401);
  const later = await ada.createKey({ name: 'later' });
  assert.equal((await revokeAll(ada, {}, 'panic')).revoked, 0);
  assert.equal(await use(later), 204);
  assert.equal((await revokeAll(ada, {}, 'again')).revoked, 1);
  assert.equal(await use(later), 401);

  assert.equal((await revokeAll(ada, {}, 'nothing to revoke')).revoked, 0);
  const latest = await ada.createKey({ name: 'latest' });
  assert.equal((await revokeAll(ada, {}, 'nothing to revoke')).revoked, 0);
  assert.equal(await use(latest), 204);
});

test('many keys are revoked while others are created: each is revoked, or was created afterwards', async () => {
  await insertManyKeys(server, revoking.email, 1500);
  const used = await ada.createKey({ name: 'used' });
  const creator = await ada.createKey({ name: 'creator', scopes: ['keys:write'] });
  assert.equal(await use(used), 204);
  let done = false;
  const created: CreatedKey[] = [];
  const all = Promise.all([revokeAll(), revokeAll()]).finally(() => {
    done = true;
  });
  const body = { name: 'meanwhile' };
  const create = async (caller: { as: Person } | { key: string }) => {
    const response = await contract.call('POST', '/v1/api-keys', { ...caller, body });
    return response.status === 201 ? createdKeySchema.parse(response.body) : undefined;
  };
  while (!done) {
    const pair = Promise.all([create({ as: ada }), create({ key: creator.apiKey })]);
    created.push(...(await pair).flatMap((key) => key ?? []));
  }
  const results = await all;
  assert.ok(Math.max(...results.map(({ revoked }) => revoked)) >= 1502);
  for (const key of [used, creator]) assert.equal(await use(key), 401);
  const statuses = await Promise.all(
    created.map(async ({ key }) => {
      const { body } = await contract.call('GET', `/v1/api-keys/${key.id}`, { as: ada });
      return createdKeySchema.shape.key.parse(body).status;
    }),
  );
  for (const [i, key] of created.entries()) {
    assert.equal(await use(key), statuses[i] === 'active' ? 204 : 401);
    if (key.key.createdBy === creator.key.id) assert.equal(statuses[i], 'revoked');
  }
  const left = await runSql(server, "SELECT id FROM api_key WHERE revoked_at IS NULL AND name LIKE 'many %'");
  assert.equal(left.length, 0);
  assert.equal(await isMarked(), false);
});

test('the mark of a workspace rejects its keys, and no statement removes it while a key is not revoked', async () => {
  const [key, other] = [await bob.createKey({ name: 'never used' }), await bob.createKey({ name: 'other' })];
  const workspace = 'id = (SELECT workspace_id FROM api_key WHERE id = ?)';
  // In the future, so that no server takes it for an interrupted one.
  await runSql(server, `UPDATE workspace SET revoking_at = 9999999999999 WHERE ${workspace}`, key.key.id);
  assertProblem(await contract.call('GET', '/v1/me', { key: key.apiKey }), 'revoked_key');
  for (const change of ['revoking_at = NULL', 'revoking_at = 1']) {
    await assert.rejects(
      runSql(server, `UPDATE workspace SET ${change} WHERE ${workspace}`, key.key.id),
      /the keys of this workspace are being revoked/,
    );
  }
  const created = await bob.createKey({ name: 'created when all others are revoked' });
  assert.equal(await use(created), 204);
  assert.deepEqual(await statusesOf(bob, [key, other, created]), ['revoked', 'revoked', 'active']);
  assert.equal(await isMarked(), false);
});

test('after kill -9 during a revoke of all keys, the next start rejects all of them and finishes it', async (t) => {
  const { server: first, stop: stopFirst } = await startWithTwoAccounts();
  // Hooks run in their order, and the data is removed only when no server writes there anymore.
  let second: TestServer | undefined;
  t.after(() => second?.kill());
  t.after(stopFirst);
  const person = await openSession(first, adasAccount);
  await insertManyKeys(first, adasAccount.email, 5000);
  const key = await person.createKey({ name: 'newest, so revoked last' });
  assert.equal(await use(key, first.url), 204);
  const lost = person.call('POST', '/v1/api-keys/revoke', { all: true }).catch(() => undefined);
  await eventually(
    () => use(key, first.url),
    (status) => status === 401,
  );
  await first.kill('SIGKILL');
  assert.equal(await lost, undefined, 'the call had returned before the kill');

  second = await startServer({ dataDir: first.dataDir, env: { SOKU_PUBLIC_URL: first.url } });
  const { url } = second;
  assert.equal(await use(key, url), 401);
  const left = () => runSql(first, 'SELECT id FROM api_key WHERE revoked_at IS NULL LIMIT 1');
  assert.equal((await left()).length, 1, 'all keys were revoked before the kill');
  await eventually(left, (rows) => rows.length === 0);
  assert.equal(await use(key, url), 401);
});
