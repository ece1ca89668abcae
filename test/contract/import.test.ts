/** The import of keys by their hashes: what is imported, what is rejected, and that it is all or nothing. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { type ImportResult, importResultSchema } from '@soku/contract/imports';
import { keyListSchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { bearer, call, type Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';
import { bob as bobsAccount } from '../support/two-accounts.ts';

// With a setting of its own, because other tests have other scopes.
const server = await sharedServer(proxyAndWebhookEnv);
const contract = await Contract.of(server);
const ada = await openSession(server);
const bob = await openSession(server, bobsAccount);

// The scopes of the tests below.
const catalog = await ada.call('PUT', '/v1/scopes', {
  scopes: [{ name: 'files:read', description: '' }],
});
assert.equal(catalog.status, 200, catalog.text);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const newHash = () => randomBytes(32).toString('hex');

const send = (body: unknown, as: Person = ada, fields: [string, string][] = []) =>
  contract.call('POST', '/v1/api-keys/import', { as, body, fields });

async function importKeys(
  keys: unknown,
  options: { as?: Person; dryRun?: boolean } = {},
): Promise<ImportResult> {
  const { as, ...rest } = options;
  const response = await send({ keys, ...rest }, as);
  assert.equal(response.status, 200, response.text);
  return importResultSchema.strict().parse(response.body);
}

const find = async (hash: string, as = ada) => {
  const response = await as.call('GET', `/v1/api-keys?status=all&hash=${hash}`);
  return keyListSchema.parse(response.body).data[0];
};

/** Fails unless the only problem of the key has this path. */
async function assertProblemOf(fields: object, path: string, problem: RegExp): Promise<void> {
  const hash = newHash();
  const { imported, problems } = await importKeys([{ name: 'x', hash, ...fields }]);
  assert.equal(imported, 0);
  assert.deepEqual(
    problems.map((one) => [one.index, one.path]),
    [[0, path]],
  );
  assert.match(problems[0]?.problem ?? '', problem);
}

test('an imported key is accepted when the call has returned, even if it was rejected before', async () => {
  const apiKey = generateKey();
  const verify = () => call(`${server.url}/v1/me`, { headers: bearer(apiKey) });
  assert.equal((await verify()).status, 401);
  const result = await importKeys([{ name: 'From elsewhere', hash: sha256(apiKey) }]);
  assert.deepEqual(result, { imported: 1, unchanged: 0, problems: [] });
  assert.equal((await verify()).status, 200);
});

test('an imported key has all fields', async () => {
  const [hash, plain] = [newHash(), newHash()];
  const fields = {
    scopes: ['files:*', 'files:read'],
    expiresAt: '2099-01-01T00:00:00.000Z',
    allowedAddresses: ['192.0.2.1'],
    externalId: 'cus_1',
    metadata: { plan: 'pro' },
    createdAt: '2024-02-29T12:00:00.000Z',
  };
  const preview = { previewStart: 'acme_live_ab', previewEnd: 'wxyz' };
  await importKeys([
    { name: 'All', hash, ...fields, ...preview, rateLimit: 'off' },
    { name: 'None', hash: Buffer.from(plain, 'hex').toString('base64url'), expiresAt: null, metadata: null },
  ]);
  const { id, createdBy, secrets, ...key } = (await find(hash)) ?? assert.fail('not found');
  assert.match(id, /^key_/);
  assert.match(createdBy, /^usr_/);
  assert.deepEqual(key, {
    ...fields,
    name: 'All',
    preview: 'acme_live_ab...wxyz',
    status: 'active',
    environment: 'live',
    lastUsedAt: null,
    disabledAt: null,
    revokedAt: null,
    revokedReason: null,
    rateLimit: 'off',
  });
  assert.match(secrets[0]?.id ?? '', /^sec_/);
  assert.equal(secrets[0]?.createdAt, fields.createdAt);
  const other = await find(plain);
  assert.equal(other?.preview, '...');
  assert.deepEqual([other?.expiresAt, other?.metadata, other?.rateLimit], [null, {}, null]);
});

test('imported keys are listed by their own date, and found by their preview', async () => {
  const [hash, name] = [newHash(), `Dated ${newHash().slice(0, 8)}`];
  const start = `ac-${newHash().slice(0, 6)}`;
  await importKeys([
    { name, hash, previewStart: start, previewEnd: 'Z9_-', createdAt: '2020-01-01T00:00:00Z' },
  ]);
  const search = async (q: string) => {
    const { body } = await ada.call('GET', `/v1/api-keys?q=${encodeURIComponent(q)}`);
    return keyListSchema.parse(body).data.map((key) => key.name);
  };
  for (const q of [start, start.slice(0, 6).toUpperCase(), `${start}...Z9_-`, `${start}...`, '...Z9_-'])
    assert.deepEqual(await search(q), [name], q);
  const oldest = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?order=asc&limit=1')).body).data[0];
  assert.equal(oldest?.name, name);
});

test('a key with a wrong field is rejected by the path of the field', async () => {
  await assertProblemOf({ name: ' ' }, 'name', /empty/);
  await assertProblemOf({ hash: 'zz' }, 'hash', /64 hexadecimal digits or 43 characters/);
  await assertProblemOf({ hash: undefined }, 'hash', /is missing/);
  await assertProblemOf({ previewStart: 'x'.repeat(13) }, 'previewStart', /12/);
  await assertProblemOf({ previewEnd: 'five5' }, 'previewEnd', /4/);
  await assertProblemOf({ previewEnd: 'é' }, 'previewEnd', /ASCII/);
  await assertProblemOf({ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /future/);
  await assertProblemOf({ createdAt: '2099-01-01T00:00:00Z' }, 'createdAt', /past/);
  await assertProblemOf({ createdAt: '1969-12-31T23:59:59Z' }, 'createdAt', /1970/);
  await assertProblemOf({ scopes: ['files:read', 'A b'] }, 'scopes.1', /scope/);
  await assertProblemOf({ scopes: ['*', 'keys:read', 'cats:feed'] }, 'scopes.2', /catalog/);
  await assertProblemOf({ environment: 'test' }, 'environment', /SOKU_TEST_KEY_PREFIX/);
  await assertProblemOf({ rateLimit: 0 }, 'rateLimit', /between/);
  await assertProblemOf({ metadata: { a: 5 } }, 'metadata.a', /string/);
  await assertProblemOf({ metadata: { '': 'x' } }, 'metadata', /must not be empty/);
  await assertProblemOf({ status: 'revoked' }, 'status', /not a known field/);
  await assertProblemOf({ name: generateKey() }, 'name', /API key/);
  await assertProblemOf({ externalId: generateKey() }, 'externalId', /API key/);
  await assertProblemOf({ metadata: { a: generateKey() } }, 'metadata', /API key/);
  await assertProblemOf({ metadata: { [generateKey()]: 'a' } }, 'metadata', /API key/);
  const { problems } = await importKeys([null, 5, []]);
  assert.deepEqual(
    problems.map(({ index, path }) => [index, path]),
    [0, 1, 2].map((index) => [index, 'key']),
  );
});

test('the fields that verification sends in header fields have a common limit, as for other keys', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `files:${i}:${'x'.repeat(50)}`);
  await bob.setScopes(names);
  const importBig = (fields: object) =>
    importKeys([{ name: 'x', hash: newHash(), scopes: names, ...fields }], { as: bob });
  assert.equal((await importBig({ externalId: 'y'.repeat(255) })).imported, 1);
  for (const [fields, path] of [
    [{ name: '漢'.repeat(100), externalId: '漢'.repeat(60) }, 'scopes'],
    [{ name: '漢'.repeat(100), externalId: '漢'.repeat(250) }, 'externalId'],
  ] as const) {
    const { imported, problems } = await importBig(fields);
    assert.equal(imported, 0);
    assert.deepEqual([problems.length, problems[0]?.path], [1, path]);
    assert.match(problems[0]?.problem ?? '', /at most 3072/);
  }
});

test('problems repeat no key', async () => {
  const apiKey = generateKey();
  const response = await send({ keys: [{ name: 'x', hash: apiKey, [apiKey]: 1, scopes: [apiKey] }] });
  assert.equal(importResultSchema.parse(response.body).problems.length, 3);
  assert.ok(!response.text.includes(apiKey.slice(8, 30)), response.text);
});

test('the key itself is not stored', async () => {
  const token = 'acme-1234567';
  const hash = sha256(token);
  await assertProblemOf({ hash, name: token }, 'name', /API key/);
  await assertProblemOf({ hash, externalId: token }, 'externalId', /API key/);
  await assertProblemOf({ hash, metadata: { token } }, 'metadata', /API key/);
  await assertProblemOf({ hash, metadata: { [token]: '' } }, 'metadata', /API key/);
  await assertProblemOf({ hash, previewStart: token }, 'previewEnd', /whole key/);
  await assertProblemOf({ hash, previewStart: 'acme-123', previewEnd: '4567' }, 'previewEnd', /whole key/);
  await assertProblemOf({ hash, previewStart: 'acme-12345', previewEnd: '4567' }, 'previewEnd', /whole key/);
  const kept = await importKeys([{ name: 'x', hash, previewStart: 'acme-123', previewEnd: '567' }]);
  assert.equal(kept.imported, 1);
});

test('one wrong key prevents the import of all', async () => {
  const [good, bad] = [newHash(), newHash()];
  const keys = [
    { name: 'good', hash: good },
    { name: '', hash: bad },
  ];
  const { imported, unchanged, problems } = await importKeys(keys);
  assert.deepEqual([imported, unchanged, problems.map(({ index }) => index)], [0, 0, [1]]);
  assert.equal(await find(good), undefined);
});

test('a repeated import changes nothing', async () => {
  const keys = [newHash(), newHash()].map((hash) => ({ name: 'again', hash }));
  await importKeys(keys);
  const before = await find(keys[0]?.hash ?? '');
  const more = [...keys.map((key) => ({ ...key, name: 'renamed' })), { name: 'new', hash: newHash() }];
  assert.deepEqual(await importKeys(more), { imported: 1, unchanged: 2, problems: [] });
  assert.deepEqual(await find(keys[0]?.hash ?? ''), before);
});

test('a hash that is used twice, revoked, or of another workspace is not available', async () => {
  const own = await ada.createKey({ name: 'revoked' });
  await ada.revoke(own.key.id);
  const foreign = await bob.createKey({ name: 'foreign' });
  const foreignRevoked = await bob.createKey({ name: 'foreign and revoked' });
  await bob.revoke(foreignRevoked.key.id);
  const unavailable = [own, foreign, foreignRevoked].map(({ apiKey }) => sha256(apiKey));
  const twice = newHash();
  const keys = [...unavailable, twice, Buffer.from(twice, 'hex').toString('base64url')];
  const { imported, problems } = await importKeys(keys.map((hash) => ({ name: 'x', hash })));
  assert.equal(imported, 0);
  assert.deepEqual(problems, [
    ...[0, 1, 2].map((index) => ({ index, path: 'hash', problem: 'hash_unavailable' })),
    { index: 4, path: 'hash', problem: 'must not occur twice in an import' },
  ]);
  assert.equal(await find(twice), undefined);
  assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(own.apiKey) })).status, 401);
  assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(foreign.apiKey) })).status, 200);
});

test('a key that was created here counts as unchanged', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'created here' });
  const result = await importKeys([{ name: 'x', hash: sha256(apiKey) }]);
  assert.deepEqual(result, { imported: 0, unchanged: 1, problems: [] });
  assert.equal((await find(sha256(apiKey)))?.name, key.name);
});

test('a dry run reports what an import would do, and writes nothing', async () => {
  const hash = newHash();
  const keys = [{ name: 'dry', hash }];
  assert.deepEqual(await importKeys(keys, { dryRun: true }), { imported: 1, unchanged: 0, problems: [] });
  assert.equal(await find(hash), undefined);
  assert.equal((await importKeys(keys)).imported, 1);
  assert.deepEqual(await importKeys(keys, { dryRun: true }), { imported: 0, unchanged: 1, problems: [] });
});

test('two imports of the same keys at the same time import them once', async () => {
  const others = Array.from({ length: 40 }, () => ({ name: 'race', hash: newHash() }));
  const results = await Promise.all([importKeys(others), importKeys(others.toReversed(), { as: bob })]);
  assert.deepEqual(results.map(({ imported }) => imported).sort(), [0, 40]);
  assert.deepEqual(results.map(({ problems }) => problems.length).sort(), [0, 40]);
});

test('with an Idempotency-Key, a repeated call is rejected, unless it imported nothing', async () => {
  const name = randomBytes(8).toString('hex');
  const fields: [string, string][] = [['Idempotency-Key', name]];
  const hash = newHash();
  const wrong = await send({ keys: [{ name: '', hash }] }, ada, fields);
  assert.equal(wrong.status, 200);
  assert.equal((await send({ keys: [{ name: 'x', hash }], dryRun: true }, ada, fields)).status, 200);
  assert.equal((await send({ keys: [{ name: 'x', hash }] }, ada, fields)).status, 200);
  assertProblem(await send({ keys: [{ name: 'x', hash }] }, ada, fields), 'idempotency_replayed');
  assert.equal((await send({ keys: [{ name: 'x', hash: newHash() }] }, bob, fields)).status, 200);
});

test('an import has one event, with its counts', async () => {
  const keys = [newHash(), newHash()].map((hash) => ({ name: 'audited', hash }));
  await importKeys(keys);
  const { body } = await ada.call('GET', '/v1/audit?action=key.imported&limit=1');
  const [event] = auditPageSchema.parse(body).data;
  const ids = await Promise.all(keys.map(async ({ hash }) => (await find(hash))?.id));
  assert.equal(event?.target.kind, 'workspace');
  assert.deepEqual(event?.details, { imported: 2, unchanged: 0, firstKeyId: ids[0], lastKeyId: ids[1] });
  assert.ok(!JSON.stringify(event).includes(keys[0]?.hash ?? '?'));
});
