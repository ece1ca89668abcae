/** Keys that only certain IP addresses may use. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CreateKey } from '@soku/contract/key-requests';
import { createdKeySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { verificationSchema, verificationsSchema } from '@soku/contract/verification';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { assertField, KeyCalls } from '../support/key-calls.ts';
import { withinOneMinute } from '../support/limits.ts';
import type { HttpResponse } from '../support/person.ts';
import { freePort, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const local = ['127.0.0.1', '::1'];

/** A server behind a proxy on this machine, which the tests stand for. */
const gatewayPort = await freePort();
const proxied = await startServer({
  env: {
    TRUST_PROXY: local.join(),
    SOKU_GATEWAY_PORT: String(gatewayPort),
    // Nothing listens there: the gateway returns bad_gateway for an accepted key.
    SOKU_GATEWAY_UPSTREAM: `http://127.0.0.1:${await freePort()}`,
  },
});
after(() => proxied.stop());
const behindProxy = await Contract.of(proxied);
const adaBehindProxy = await openSession(proxied);

/** A server that trusts no proxy. */
const server = await sharedServer();
const direct = await Contract.of(server);
const ada = await openSession(server);

const range = { allowedAddresses: ['192.0.2.0/24', '2001:db8::/32'] };
const scopes = ['keys:read', 'keys:verify', 'audit:read'];
const from = (address: string): Fields => [['X-Forwarded-For', address]];

/** Every way to use a key, each returning a response that is not a rejection if the key is accepted. */
const uses: Record<string, (key: string, fields: Fields) => Promise<HttpResponse>> = {
  'GET /v1/me': (key, fields) => behindProxy.call('GET', '/v1/me', { key, fields }),
  'forward-auth': (key, fields) => behindProxy.call('GET', '/v1/verify', { key, fields }),
  'forward-auth below a path': (key, fields) =>
    callWithFields(`${proxied.url}/v1/verify/a/b`, {
      method: 'POST',
      fields: [['Authorization', `Bearer ${key}`], ...fields],
    }),
  'a management call': (key, fields) => behindProxy.call('GET', '/v1/api-keys', { key, fields }),
  'an export': (key, fields) => behindProxy.call('GET', '/v1/audit/export', { key, fields }),
  'a back end that verifies keys': (key, fields) =>
    behindProxy.call('POST', '/v1/verify', { key, fields, body: { apiKey: 'x' } }),
  'the same through the framework': (key, fields) =>
    behindProxy.call('POST', '/v1/verify', {
      key,
      fields: [...fields, ['Cookie', 'a=b']],
      body: { apiKey: 'x' },
    }),
  'the gateway': (key, fields) =>
    callWithFields(`http://localhost:${gatewayPort}/`, {
      fields: [['Authorization', `Bearer ${key}`], ...fields],
    }),
};

for (const [name, use] of Object.entries(uses)) {
  test(`${name}: a restricted key is accepted from its addresses only`, async () => {
    const { apiKey } = await adaBehindProxy.createKey({ name, scopes, ...range });
    const isAccepted = ({ status }: HttpResponse) => [200, 204, 502].includes(status);
    for (const address of [
      '192.0.2.1',
      '::ffff:192.0.2.255',
      '[2001:db8:ffff::1]:443',
      '1.1.1.1, 192.0.2.9',
    ]) {
      const response = await use(apiKey, from(address));
      assert.ok(isAccepted(response), `${address}: ${response.text}`);
    }
    for (const [address, seen] of [
      ['192.0.3.1', '192.0.3.1'],
      ['192.0.2.1, 192.0.3.1:80', '192.0.3.1'],
      ['2001:DB9::1', '2001:db9::1'],
    ] as const) {
      const error = assertProblem(await use(apiKey, from(address)), 'ip_not_allowed');
      assert.ok(error.message.endsWith(` from the IP address ${seen}.`), error.message);
    }
    for (const unknown of ['unknown', '"<script>"', '192.0.2.1, x', '']) {
      const error = assertProblem(await use(apiKey, from(unknown)), 'ip_not_allowed');
      assert.match(error.message, /unknown.*TRUST_PROXY/);
      assert.ok(!error.message.includes('script'));
    }
  });
}

test('a trusted proxy that does not name the client makes it unknown; a direct call has its own address', async () => {
  const { apiKey: key } = await adaBehindProxy.createKey({ name: 'local', allowedAddresses: local });
  for (const path of ['/v1/me', '/v1/verify']) {
    const status = async (...fields: Fields) => (await behindProxy.call('GET', path, { key, fields })).status;
    const accepted = path === '/v1/me' ? 200 : 204;
    assert.equal(await status(), accepted, 'the proxy itself, or a program on its machine');
    assert.equal(await status(['X-Forwarded-For', '127.0.0.1']), accepted, 'a client that the proxy names');
    for (const field of ['X-Real-IP', 'Forwarded', 'X-Forwarded-Host', 'X-Original-URI', 'x_forwarded_for']) {
      assert.equal(await status([field, '127.0.0.1']), 403, field);
    }
  }
});

test('a request through a proxy that is not trusted has an unknown client, but only for restricted keys', async () => {
  const { apiKey: key } = await ada.createKey({ name: 'local', allowedAddresses: local, scopes });
  const open = await ada.createKey({ name: 'open' });
  const body = { apiKey: open.apiKey };
  const calls = [
    ['GET', '/v1/me', {}],
    ['GET', '/v1/verify', {}],
    ['GET', '/v1/api-keys', {}],
    ['POST', '/v1/verify', { body }],
  ] as const;
  for (const [method, path, more] of calls) {
    assert.ok((await direct.call(method, path, { key, ...more })).status < 300);
  }
  for (const field of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'CF-Connecting-IP', 'X_REAL_IP']) {
    const fields: Fields = [[field, '127.0.0.1']];
    for (const [method, path, more] of calls) {
      const response = await direct.call(method, path, { key, fields, ...more });
      const error = assertProblem(response, 'ip_not_allowed');
      assert.match(error.message, /unknown.*TRUST_PROXY/);
    }
    const verify = { key: open.apiKey, fields };
    assert.equal((await direct.call('GET', '/v1/verify', verify)).status, 204, field);
  }
  const usage = await direct.call('GET', `/v1/api-keys/${open.key.id}/usage`, { as: ada });
  assert.ok(local.includes(usageSchema.parse(usage.body).lastUsed?.address ?? ''));
});

test('POST /v1/verify judges the address that the back end sends', async () => {
  const backend = (await ada.createKey({ name: 'back end', scopes: ['keys:verify'] })).apiKey;
  const verify = async (body: object) =>
    (await direct.call('POST', '/v1/verify', { key: backend, body })).body;
  const { apiKey } = await ada.createKey({ name: 'restricted', ...range });
  const open = await ada.createKey({ name: 'local', allowedAddresses: local });
  for (const ip of ['192.0.2.1', '::ffff:192.0.2.1', '2001:DB8::1']) {
    assert.equal(verificationSchema.parse(await verify({ apiKey, ip })).valid, true, ip);
  }
  const other = verificationSchema.parse(await verify({ apiKey, ip: '::FFFF:198.51.100.1' }));
  assert.deepEqual([other.valid, other.code], [false, 'ip_not_allowed']);
  assert.match(other.message ?? '', /198\.51\.100\.1/);
  // The address of the back end itself does not count.
  for (const one of [apiKey, open.apiKey]) {
    const without = verificationSchema.parse(await verify({ apiKey: one }));
    assert.deepEqual([without.valid, without.code], [false, 'ip_not_allowed']);
    assert.match(without.message ?? '', /must send ip/);
  }
  const batch = verificationsSchema.parse(await verify({ apiKeys: [apiKey, open.apiKey], ip: '192.0.2.1' }));
  assert.deepEqual(
    batch.data.map(({ code }) => code),
    ['valid', 'ip_not_allowed'],
  );
});

test('a request that is rejected for its address uses no quota of the key', async () => {
  await withinOneMinute(async () => {
    const { apiKey: key } = await adaBehindProxy.createKey({
      name: 'one per minute',
      rateLimit: 1,
      ...range,
    });
    for (let i = 0; i < 5; i++) {
      const response = await behindProxy.call('GET', '/v1/verify', { key, fields: from('198.51.100.1') });
      assertProblem(response, 'ip_not_allowed');
      assert.equal(response.headers.get('ratelimit'), null);
    }
    const status = async () =>
      (await behindProxy.call('GET', '/v1/verify', { key, fields: from('192.0.2.1') })).status;
    assert.deepEqual([await status(), await status()], [204, 429]);
  });
});

test('addresses are stored in their canonical form, and each invalid one is reported by its index', async () => {
  const keys = new KeyCalls(direct, ada);
  const create = (body: Partial<CreateKey>) =>
    direct.call('POST', '/v1/api-keys', { as: ada, body: { name: 'addresses', ...body } });
  const sent = ['2001:0DB8::/32', '198.51.100.7/32', '::ffff:10.0.0.0/104', '198.51.100.7'];
  const { key } = createdKeySchema.parse((await create({ allowedAddresses: sent })).body);
  assert.deepEqual(key.allowedAddresses, ['10.0.0.0/8', '198.51.100.7', '2001:db8::/32']);
  const meant = ['192.0.2.1', '192.0.2.1', '10.0.0.5/8'];
  assertField(await create({ allowedAddresses: meant }), 'allowedAddresses.2', /must be 10\.0\.0\.0\/8/);
  assertField(await keys.change(key.id, { allowedAddresses: meant }), 'allowedAddresses.2', /10\.0\.0\.0\/8/);
  assertField(await create({ allowedAddresses: ['fe80::1%eth0'] }), 'allowedAddresses.0', /zone/);
  const pasted = await create({ allowedAddresses: [`sk_live_${'a'.repeat(32)}`] });
  assertField(pasted, 'allowedAddresses.0', /IP address or a CIDR block/);
  assert.ok(!pasted.text.includes('sk_live_'));
  const many = Array.from({ length: 51 }, (_, i) => `192.0.2.${i}`);
  assertField(await create({ allowedAddresses: many }), 'allowedAddresses', /50/);
  const most = createdKeySchema.parse((await create({ allowedAddresses: many.slice(1) })).body);
  assert.equal(most.key.allowedAddresses.length, 50);
});
