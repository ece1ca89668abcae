/** The rules of a workspace for the expiration dates of its keys. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { importResultSchema } from '@soku/contract/imports';
import { msPerDay } from '@soku/contract/instant';
import { createdKeySchema, type Key } from '@soku/contract/keys';
import { workspaceSchema } from '@soku/contract/workspaces';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertField, inDays, KeyCalls } from '../support/key-calls.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const keys = new KeyCalls(contract, ada);

const setWorkspace = (body: object) => contract.call('PATCH', '/v1/workspace', { as: ada, body });
const readWorkspace = async () =>
  workspaceSchema.strict().parse((await contract.call('GET', '/v1/workspace', { as: ada })).body);
const create = (body: object, key?: string) =>
  contract.call('POST', '/v1/api-keys', {
    ...(key === undefined ? { as: ada } : { key }),
    body: { name: 'lifetime', ...body },
  });

async function created(body: object, key?: string): Promise<Key> {
  const response = await create(body, key);
  assert.equal(response.status, 201, response.text);
  return createdKeySchema.parse(response.body).key;
}

/** Sets the rules, and removes them after the test. */
async function withRules(rules: object, work: () => Promise<void>): Promise<void> {
  assert.equal((await setWorkspace(rules)).status, 200);
  try {
    await work();
  } finally {
    assert.equal((await setWorkspace({ maxKeyLifetimeDays: null, requireKeyExpiry: false })).status, 200);
  }
}

const withMaximum = (days: number, work: () => Promise<void>) =>
  withRules({ maxKeyLifetimeDays: days }, work);

/** Fails unless a time is this many days from now. */
function assertInDays(time: string | null, days: number): void {
  assert.ok(Math.abs(Date.parse(time ?? '') - Date.now() - days * msPerDay) < 60_000, String(time));
}

test('people can set the maximum and the limit separately, and each change is in the audit log', async () => {
  const before = await readWorkspace();
  assert.equal(before.maxKeyLifetimeDays, null);
  for (const change of [
    { maxKeyLifetimeDays: 3650 },
    { rateLimit: 1_000_000 },
    { maxKeyLifetimeDays: 1, rateLimit: 'off' },
    { maxKeyLifetimeDays: null },
    { requireKeyExpiry: true, maxKeyIdleDays: 90 },
    { requireKeyExpiry: false, maxKeyIdleDays: null },
    { rateLimit: null },
  ]) {
    const expected = { ...(await readWorkspace()), ...change };
    assert.deepEqual(workspaceSchema.strict().parse((await setWorkspace(change)).body), expected);
    assert.deepEqual(await readWorkspace(), expected);
  }
  const path = '/v1/audit?action=workspace.updated&limit=3';
  const { data } = auditPageSchema.parse((await contract.call('GET', path, { as: ada })).body);
  assert.deepEqual(
    data.map(({ changes }) => changes),
    [
      { rateLimit: { from: 'off', to: null } },
      { requireKeyExpiry: { from: true, to: false }, maxKeyIdleDays: { from: 90, to: null } },
      { requireKeyExpiry: { from: false, to: true }, maxKeyIdleDays: { from: null, to: 90 } },
    ],
  );
  for (const wrong of [0, -1, 3651, 1.5, '30', true, [], {}]) {
    for (const field of ['maxKeyLifetimeDays', 'maxKeyIdleDays'])
      assertField(await setWorkspace({ [field]: wrong }), field, /days/);
  }
  assertField(await setWorkspace({ requireKeyExpiry: null }), 'requireKeyExpiry', /boolean/);
  const manager = await ada.createKey({ name: 'manager', scopes: ['keys:write'] });
  const body = { maxKeyLifetimeDays: 30 };
  const byKey = await contract.call('PATCH', '/v1/workspace', { key: manager.apiKey, body });
  assertProblem(byKey, 'session_required');
  assert.deepEqual(await readWorkspace(), before);
});

test('a new key expires within the maximum; without a date it gets the latest one', async () => {
  await withMaximum(30, async () => {
    for (const body of [{}, { expiresAt: null }]) assertInDays((await created(body)).expiresAt, 30);
    const expiresAt = inDays(29);
    assert.equal((await created({ expiresAt })).expiresAt, expiresAt);
    assertField(await create({ expiresAt: inDays(31) }), 'expiresAt', /or earlier.*within 30 days/);
  });
  assert.equal((await created({})).expiresAt, null);
});

test('a calling key passes on the earlier one of its own date and the maximum', async () => {
  const scopes = ['keys:write', 'keys:read'];
  const [forever, week, year] = [
    await ada.createKey({ name: 'forever', scopes }),
    await ada.createKey({ name: 'week', scopes, expiresAt: inDays(7) }),
    await ada.createKey({ name: 'year', scopes, expiresAt: inDays(365) }),
  ];
  await withMaximum(30, async () => {
    assertInDays((await created({}, forever.apiKey)).expiresAt, 30);
    assert.equal((await created({}, week.apiKey)).expiresAt, week.key.expiresAt);
    assertInDays((await created({}, year.apiKey)).expiresAt, 30);
    assertField(await create({ expiresAt: inDays(8) }, week.apiKey), 'expiresAt', /calling key/);
    assertField(await create({ expiresAt: inDays(31) }, year.apiKey), 'expiresAt', /within 30 days/);
  });
});

test('a date that is set later is within the maximum, and older keys keep theirs', async () => {
  const old = await created({});
  const expired = await created({ expiresAt: inDays(1) });
  await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', expired.id);
  await withMaximum(30, async () => {
    assert.equal((await keys.changed(old.id, { name: 'old' })).expiresAt, null);
    for (const expiresAt of [null, inDays(31)]) {
      for (const { id } of [old, expired]) {
        assertField(await keys.change(id, { expiresAt }), 'expiresAt', /within 30 days/);
      }
    }
    const expiresAt = inDays(29);
    assert.equal((await keys.changed(expired.id, { expiresAt })).status, 'active');
    assert.equal((await keys.changed(old.id, { expiresAt })).expiresAt, expiresAt);
  });
});

test('where keys must expire, each new key and each change of a date needs one', async () => {
  const scopes = ['keys:write', 'keys:read'];
  const old = await created({});
  const [forever, week] = [
    await ada.createKey({ name: 'forever', scopes }),
    await ada.createKey({ name: 'week', scopes, expiresAt: inDays(7) }),
  ];
  const mustExpire = /must be a date, because keys of this workspace must expire/;
  await withRules({ requireKeyExpiry: true }, async () => {
    for (const body of [{}, { expiresAt: null }]) {
      assertField(await create(body), 'expiresAt', mustExpire);
      assertField(await create(body, forever.apiKey), 'expiresAt', mustExpire);
      assert.equal((await created(body, week.apiKey)).expiresAt, week.key.expiresAt, 'that of its creator');
    }
    const expiresAt = inDays(4000);
    const key = await created({ expiresAt });
    for (const { id } of [key, old])
      assertField(await keys.change(id, { expiresAt: null }), 'expiresAt', mustExpire);
    assertField(await keys.change(old.id, { expiresAt: null }, forever.apiKey), 'expiresAt', mustExpire);
    assert.equal(
      (await keys.changed(old.id, { name: 'old' })).expiresAt,
      null,
      'an older key keeps its date',
    );
    assert.equal((await keys.changed(old.id, { expiresAt })).expiresAt, expiresAt);
  });
  await withRules({ requireKeyExpiry: true, maxKeyLifetimeDays: 30 }, async () => {
    assertInDays((await created({})).expiresAt, 30);
    assertField(await keys.change(old.id, { expiresAt: null }), 'expiresAt', /within 30 days/);
  });
  assert.equal((await keys.changed(old.id, { expiresAt: null })).expiresAt, null);
});

test('where keys must expire, each imported key needs a date, or gets the latest one', async () => {
  const importKeys = async (...fields: object[]) => {
    const rows = fields.map((field) => ({
      name: 'imported',
      hash: randomBytes(32).toString('hex'),
      ...field,
    }));
    const { body } = await contract.call('POST', '/v1/api-keys/import', { as: ada, body: { keys: rows } });
    return importResultSchema.parse(body);
  };
  await withRules({ requireKeyExpiry: true }, async () => {
    const { imported, problems } = await importKeys({}, { expiresAt: inDays(1) }, { expiresAt: null });
    const problem = 'must be a date, because keys of this workspace must expire';
    assert.deepEqual(
      [imported, problems],
      [0, [0, 2].map((index) => ({ index, path: 'expiresAt', problem }))],
    );
    assert.equal((await importKeys({ expiresAt: inDays(1) })).imported, 1);
  });
  await withRules({ requireKeyExpiry: true, maxKeyLifetimeDays: 30 }, async () => {
    assert.equal((await importKeys({})).imported, 1);
  });
});
