/** What operators store with a key: an external ID and metadata, which verification returns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateKey } from '@soku/contract/key-requests';
import { createdKeySchema, keyListSchema, keySchema } from '@soku/contract/keys';
import { verificationSchema } from '@soku/contract/verification';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertField, KeyCalls } from '../support/key-calls.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const keys = new KeyCalls(contract, ada);
const externalId = 'Kundin №7, "Zoë"';
const metadata = { plan: 'pro', note: 'two\nlines', 'a name': '', constructor: 'c', toString: 't' };

const create = (body: Partial<CreateKey> | string, as = ada) =>
  contract.call('POST', '/v1/api-keys', {
    as,
    body: typeof body === 'string' ? body : { name: 'external', ...body },
  });

async function verify(caller: string, apiKey: string) {
  const response = await contract.call('POST', '/v1/verify', { key: caller, body: { apiKey } });
  return verificationSchema.parse(response.body).key;
}

test('external ID and metadata are returned by every response that returns the key', async () => {
  const response = await create({ externalId: ` ${externalId} `, metadata });
  const { apiKey, key } = createdKeySchema.strict().parse(response.body);
  assert.deepEqual([key.externalId, { ...key.metadata }], [externalId, metadata]);
  assert.deepEqual(await keys.read(key.id), key);
  const path = `/v1/api-keys?${new URLSearchParams({ externalId })}`;
  const page = keyListSchema.strict().parse((await contract.call('GET', path, { as: ada })).body);
  assert.deepEqual(page.data, [key]);
  const revoked = createdKeySchema.parse((await create({ externalId, metadata })).body).key;
  const after = keySchema.parse(
    (await contract.call('POST', `/v1/api-keys/${revoked.id}/revoke`, { as: ada })).body,
  );
  assert.deepEqual([after.externalId, after.metadata], [externalId, key.metadata]);

  const forwarded = await contract.call('GET', '/v1/verify', { key: apiKey });
  assert.equal(decodeURIComponent(forwarded.headers.get('x-soku-external-id') ?? ''), externalId);
  const scopes = ['keys:verify'];
  const [own, other] = [
    await ada.createKey({ name: 'back end', scopes }),
    await bob.createKey({ name: "bob's back end", scopes }),
  ];
  const seen = await verify(own.apiKey, apiKey);
  assert.deepEqual([seen?.externalId, seen?.metadata], [externalId, key.metadata]);
  const { id, workspaceId, name } = seen ?? assert.fail();
  assert.deepEqual(await verify(other.apiKey, apiKey), { id, workspaceId, name, scopes: [] });
});

test('a key without an external ID has an empty header field, which replaces one that the client sent', async () => {
  const { apiKey: key } = await ada.createKey({ name: 'plain' });
  const fields = [['X-Soku-External-Id', 'forged']] as const;
  const response = await contract.call('GET', '/v1/verify', { key, fields });
  assert.equal(response.headers.get('x-soku-external-id'), '');
});

test('a change applies to the next verification', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'changing', externalId: 'one' });
  const seen = async () =>
    (await contract.call('GET', '/v1/verify', { key: apiKey })).headers.get('x-soku-external-id');
  assert.equal(await seen(), 'one');
  await keys.changed(key.id, { externalId: 'two' });
  assert.equal(await seen(), 'two');
  await keys.changed(key.id, { externalId: null, metadata: { a: 'b' } });
  assert.equal(await seen(), '');
  assert.deepEqual((await keys.changed(key.id, { metadata: { c: 'd' } })).metadata, { c: 'd' }, 'replaced');
});

test('invalid values are rejected with their path', async () => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`name ${i}`, 'v']));
  const invalid: [object, string, RegExp][] = [
    [{ externalId: '' }, 'externalId', /empty/],
    [{ externalId: '  ' }, 'externalId', /empty/],
    [{ externalId: 'x'.repeat(256) }, 'externalId', /255/],
    [{ externalId: 'a\r\nX-Soku-Scopes: *' }, 'externalId', /control/],
    [{ externalId: 'a\u202eb' }, 'externalId', /invisible/],
    [{ externalId: '\ud800' }, 'externalId', /invisible/],
    [{ externalId: 7 }, 'externalId', /string/],
    [{ metadata: [] }, 'metadata', /record|object/],
    [{ metadata: entries(51) }, 'metadata', /50 entries/],
    [{ metadata: { a: 7 } }, 'metadata.a', /string/],
    [{ metadata: { a: null } }, 'metadata.a', /string/],
    [{ metadata: { a: 'x'.repeat(501) } }, 'metadata.a', /500/],
    [{ metadata: { a: 'b\u0000' } }, 'metadata.a', /control/],
    [{ metadata: { '': 'v' } }, 'metadata.', /must not be empty/],
    [{ metadata: { 'a\nb': 'v' } }, 'metadata.a\nb', /control or invisible/],
    [{ metadata: { '\u200b': 'v' } }, 'metadata.\u200b', /control or invisible/],
    // Longer names may contain a key, so the path does not repeat them.
    [{ metadata: { ['x'.repeat(41)]: 'v' } }, 'metadata.[redacted]', /at most 40 characters/],
    [{ metadata: { a: 'x'.repeat(500), b: 'é'.repeat(500), c: 'é'.repeat(300) } }, 'metadata', /2048 bytes/],
  ];
  for (const [body, path, problem] of invalid) assertField(await create(body), path, problem);
  const most = { ...entries(49), ['x'.repeat(40)]: 'y'.repeat(500) };
  const response = await create({ externalId: 'x'.repeat(255), metadata: most });
  assert.deepEqual(createdKeySchema.parse(response.body).key.metadata, most);
});

test('names of properties that all objects have are ordinary names, except one, which is rejected', async () => {
  const { key } = createdKeySchema.parse(
    (await create({ metadata: { hasOwnProperty: 'x', prototype: 'y' } })).body,
  );
  assert.deepEqual({ ...key.metadata }, { hasOwnProperty: 'x', prototype: 'y' });
  for (const metadataText of [
    '{"__proto__": "x"}',
    '{"a": "b", "__proto__": {"c": "d"}}',
    '{"__proto__": null}',
  ]) {
    const rejected = await create(`{"name": "polluted", "metadata": ${metadataText}}`);
    assertProblem(rejected, 'invalid_request');
    assertProblem(
      await contract.call('PATCH', `/v1/api-keys/${key.id}`, {
        as: ada,
        body: `{"metadata": ${metadataText}}`,
      }),
      'invalid_request',
    );
  }
  assert.deepEqual(await keys.read(key.id), key);
});

test('a key that was pasted into an external ID or metadata is rejected', async () => {
  const { apiKey } = await ada.createKey({ name: 'pasted' });
  for (const [body, path] of [
    [{ externalId: `id ${apiKey}` }, 'externalId'],
    [{ metadata: { key: apiKey } }, 'metadata'],
    [{ metadata: { [apiKey]: 'x' } }, 'metadata'],
  ] as const) {
    const response = await create(body);
    assertField(response, path, /API key/);
    assert.ok(!response.text.includes(apiKey));
  }
});

test('the name, the scopes and the external ID have at most 3 kB together, and the largest sent one is named', async () => {
  const scopes = Array.from({ length: 40 }, (_, i) => `scope${String(i).padStart(2, '0')}:${'x'.repeat(52)}`);
  const long = 'ж'.repeat(150);
  await ada.setScopes(scopes);
  assertField(await create({ scopes, externalId: long }), 'scopes', /at most 3072/);
  const several = { scopes: scopes.slice(0, 20), name: '漢'.repeat(100), externalId: 'ж'.repeat(255) };
  assertField(await create(several), 'externalId', /bytes together/);
  const { key } = createdKeySchema.parse((await create({ scopes, name: 'x' })).body);
  assertField(await keys.change(key.id, { externalId: long }), 'externalId', /at most 3072/);
  assertField(await keys.change(key.id, { name: '漢'.repeat(100) }), 'name', /at most 3072/);
  // Each of these letters has six bytes when it is percent-encoded.
  const left = 3072 - scopes.join(' ').length - 'x'.length;
  const exact = 'ж'.repeat(Math.floor(left / 6)) + 'x'.repeat(left % 6);
  assertField(await keys.change(key.id, { externalId: `${exact}x` }), 'externalId', /3073 bytes/);
  await keys.changed(key.id, { externalId: exact });
  assertField(await keys.change(key.id, { name: 'xx' }), 'name', /3073 bytes/);
  await keys.changed(key.id, { scopes: scopes.slice(0, 10), name: 'shorter' });
});
