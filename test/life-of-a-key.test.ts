import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { keyListSchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import { withoutUse } from './support/key.ts';
import { bearer, call } from './support/person.ts';
import { startServer } from './support/server.ts';

const server = await startServer();
after(() => server.stop());
const ada = await server.signIn();

test('a new key is accepted, and rejected as soon as its revoke returns', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'Production Server' });
  assert.match(apiKey, /^sk_live_[0-9A-Za-z]{32}$/);
  assert.equal(key.preview, `sk_live_${apiKey.slice(8, 11)}...${apiKey.slice(-3)}`);

  const me = await call(`${server.url}/v1/me`, { headers: bearer(apiKey) });
  assert.equal(me.status, 200);
  const own = meSchema.parse(me.body).key;
  assert.deepEqual(withoutUse(own), key);
  assert.notEqual(own.lastUsedAt, null, 'the call itself is a use');
  const verified = await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) });
  assert.equal(verified.status, 204);
  assert.equal(verified.headers.get('x-soku-key-id'), key.id);
  assert.equal(verified.headers.get('x-soku-key-name'), 'Production%20Server');

  const revoked = await ada.revoke(key.id);
  assert.equal(revoked.status, 'revoked');
  const rejected = await call(`${server.url}/v1/me`, { headers: bearer(apiKey) });
  assert.equal(rejected.status, 401);
  assert.equal(errorSchema.parse(rejected.body).error.code, 'revoked_key');
  assert.deepEqual(await ada.revoke(key.id), revoked, 'a second revoke returns the same');
});

test('active keys are listed by default, newest first, and revoked ones on request', async () => {
  const first = await ada.createKey({ name: 'first' });
  const second = await ada.createKey({ name: 'second' });
  await ada.revoke(first.key.id);
  const active = keyListSchema.parse((await ada.call('GET', '/v1/api-keys')).body);
  assert.equal(active.data[0]?.id, second.key.id);
  assert.ok(active.data.every((key) => key.status === 'active'));
  const revoked = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?status=revoked')).body);
  assert.equal(revoked.data[0]?.id, first.key.id);
});
