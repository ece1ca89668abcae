/** The requirements of OWASP ASVS 5.0 for keys, logs and addresses. Each title starts with its requirement. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { generateKey, parseKey } from '@soku/key';
import { z } from 'zod';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { call, cookiesOf, type Person } from '../support/person.ts';
import { runSql, whileTableFails } from '../support/run-sql.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer({ LOG_LEVEL: 'trace' });
const proxied = await startServer({
  env: { TRUST_PROXY: '127.0.0.1,10.0.0.0/8', SOKU_PUBLIC_URL: 'https://keys.example.com' },
});
after(() => proxied.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);

const sessionList = z.array(z.object({ ipAddress: z.string(), createdAt: z.string() }));

/** The address that the server stored for a sign-in with these headers. */
async function addressStored(of: TestServer, headers: Record<string, string>): Promise<string | undefined> {
  const response = await call(`${of.url}/api/auth/sign-in/email`, { method: 'POST', headers, body: owner });
  assert.equal(response.status, 200, response.text);
  const list = await call(`${of.url}/api/auth/list-sessions`, {
    headers: { cookie: cookiesOf(response.headers) },
  });
  const sessions = sessionList.parse(list.body);
  return sessions.sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0]?.ipAddress;
}

test('ASVS 14.2.1: a key in a URL is rejected, and no response puts one into a URL', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'in a URL', scopes: ['keys:read'] });
  for (const path of ['/v1/me', '/v1/verify', '/v1/api-keys', `/v1/api-keys/${key.id}`]) {
    for (const name of ['api_key', 'access_token', 'key']) {
      const response = await contract.call('GET', `${path}?${name}=${apiKey}`);
      assertProblem(response, 'key_in_query');
      assert.equal(response.headers.get('location'), null);
    }
  }
  assertProblem(await callWithFields(`${server.url}/v1/me/${apiKey}`), 'not_found');
});

test('ASVS 14.2.1: a management call with a key anywhere in its URL is rejected, and the key is not logged', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'searched', scopes: ['keys:read', 'keys:write'] });
  const stray = generateKey();
  const twice = stray.replaceAll('_', '%255F');
  const calls: [method: string, path: string, parameter: string][] = [
    ['GET', `/v1/api-keys?q=${stray}`, 'q'],
    ['GET', `/v1/api-keys?q=${twice}`, 'q'],
    ['GET', `/v1/api-keys?token=${stray.slice(8)}`, 'token'],
    ['GET', `/v1/api-keys?${stray}`, 'query'],
    ['GET', `/v1/api-keys/${stray}`, 'path'],
    ['GET', `/v1/api-keys/${key.id}?from=x${stray}`, 'from'],
    ['GET', `/v1/workspace?utm_source=${stray}`, 'utm_source'],
    ['POST', `/v1/api-keys/${stray}/revoke`, 'path'],
  ];
  for (const [method, path, parameter] of calls) {
    for (const caller of [{ as: ada }, { key: apiKey }]) {
      const response = await contract.call(method, path, caller);
      const error = assertProblem(response, 'invalid_request');
      assert.deepEqual(error.details, [{ path: parameter, problem: 'must not contain an API key' }]);
      assert.match(error.message, /parameter hash of GET \/v1\/api-keys/);
      assert.ok(!response.text.includes(stray.slice(8, 20)));
    }
  }
  const session = await callWithFields(`${server.url}/api/session?x=${stray}`);
  assertProblem(session, 'invalid_request');
  assertProblem(await contract.call('GET', `/v1/api-keys?q=${stray}`), 'invalid_request');
  assert.ok(!server.output.includes(stray.slice(8, 20)), 'not in the log at its most verbose level');
  assert.match(server.output, /"route":"\/v1\/api-keys"/, 'the log does contain requests');
});

test('ASVS 11.5.1: keys have 154 random bits, and no two are equal', async () => {
  const { apiKey: creator } = await ada.createKey({ name: 'creator', scopes: ['keys:write'] });
  const create = async () => {
    const response = await contract.call('POST', '/v1/api-keys', { key: creator, body: { name: 'random' } });
    return z.object({ apiKey: z.string() }).parse(response.body).apiKey;
  };
  const keys: string[] = [];
  // Not all at once: on a slow machine the last ones would wait too long for the workspace's lock.
  while (keys.length < 40) keys.push(...(await Promise.all(Array.from({ length: 10 }, create))));
  for (const key of keys) {
    assert.match(key, /^sk_live_[0-9A-Za-z]{26}[0-9A-Za-z]{6}$/);
    assert.notEqual(parseKey(key, ['sk_live_']), null);
  }
  for (const start of [8, 16, 24])
    assert.equal(new Set(keys.map((key) => key.slice(start, start + 8))).size, keys.length);
  // Of 62 characters, 40 random ones are 29 different ones on average, and fewer than 12 with a probability of 1e-18.
  for (let at = 8; at < 34; at++) {
    const { size } = new Set(keys.map((key) => key[at]));
    assert.ok(size >= 12, `only ${size} different characters at ${at}: it is constant or sequential`);
  }
});

test('ASVS 6.5.2: the database stores only the SHA-256 and the preview of a key', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'hashed' });
  const [row] = await runSql(server, 'SELECT * FROM api_key_secret WHERE key_id = ?', key.id);
  const { hash, created_at, id, ...rest } = z
    .looseObject({ hash: z.instanceof(Uint8Array), created_at: z.coerce.number(), id: z.string() })
    .parse(row);
  assert.deepEqual(Buffer.from(hash), createHash('sha256').update(apiKey).digest());
  assert.deepEqual(rest, {
    key_id: key.id,
    prefix: 'sk_live_',
    preview_start: apiKey.slice(8, 11),
    preview_end: apiKey.slice(-3),
    retires_at: null,
    grace_ms: null,
    retired_at: null,
  });
  assert.match(id, /^sec_/);
});

test('ASVS 8.3.2: a revoke takes effect on the next request, even for a key in constant use', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'in use', scopes: ['keys:read'] });
  const places = ['/v1/me', '/v1/verify', '/v1/api-keys'];
  for (const path of [...places, ...places]) {
    assert.ok((await contract.call('GET', path, { key: apiKey })).status < 300);
  }
  await ada.revoke(key.id);
  for (const path of places) assertProblem(await contract.call('GET', path, { key: apiKey }), 'revoked_key');
});

/** Sends a secret in every part of a request where it might end up by mistake. */
async function leak(secret: string, person: Person): Promise<void> {
  const url = server.url;
  const wrong = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
  for (const value of [
    `Bearer ${secret}`,
    secret,
    `Basic ${secret}`,
    `Bearer "${secret}"`,
    `Bearer ${wrong}`,
  ]) {
    await callWithFields(`${url}/v1/me`, { fields: [['Authorization', value]] });
  }
  for (const name of [
    'X-API-Key',
    'User-Agent',
    'Referer',
    'X-Request-Id',
    'X-Forwarded-For',
    'Idempotency-Key',
  ]) {
    await callWithFields(`${url}/v1/me`, { fields: [[name, secret]] });
  }
  for (const path of [`/v1/me?api_key=${secret}`, `/${secret}`, `/v1/api-keys/${secret}`, `/%zz${secret}`]) {
    await callWithFields(`${url}${path}`, { fields: [['Cookie', person.cookie]] });
  }
  for (const body of [{ name: secret }, { [secret]: 1 }, secret, `{"${secret}`]) {
    await person.call('POST', '/v1/api-keys', body);
    await person.call('POST', '/api/auth/sign-out-of-nowhere', body);
  }
  await call(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    body: { email: `${secret}@example.com`, password: secret },
  });
}

test('ASVS 16.2.5: the log contains no key and no password, wherever a request contains them', async () => {
  const { apiKey } = await ada.createKey({ name: 'logged' });
  await leak(apiKey, ada);
  await leak(generateKey(), ada);
  const lines = server.output;
  assert.ok(lines.split('\n').length > 30, 'every request has a line');
  assert.ok(!lines.includes(apiKey.slice(8, 20)));
  assert.doesNotMatch(lines, /sk_live_\w{10}/);
  assert.ok(!lines.includes(owner.password));
  assert.ok(!lines.includes(ada.cookie.slice(-20)));
});

test('ASVS 16.2.5: a key in the message of a database error is redacted in the log', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'quoted' });
  await whileTableFails(server, { table: 'api_key', message: `wrong: ${apiKey}` }, async () => {
    const response = await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: { name: 'x' } });
    const { requestId } = assertProblem(response, 'internal_error');
    assert.ok(!response.text.includes(apiKey));
    await server.printed(requestId);
  });
  assert.match(server.output, /wrong: \[redacted\]/);
  assert.ok(!server.output.includes(apiKey.slice(8, 20)));
});

test('ASVS 16.5.3: while keys cannot be verified they are rejected, and then accepted again', async () => {
  const { apiKey } = await ada.createKey({ name: 'unchecked' });
  await runSql(server, 'ALTER TABLE api_key_secret RENAME TO gone');
  try {
    for (const path of ['/v1/me', '/v1/verify', '/v1/api-keys']) {
      const response = await contract.call('GET', path, { key: apiKey });
      assertProblem(response, 'verification_unavailable');
      assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    const forwarded = await contract.call('GET', '/v1/verify', { key: apiKey });
    assert.equal(forwarded.headers.get('x-soku-status'), '503');
    const created = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name: 'half' } });
    assertProblem(created, 'internal_error');
  } finally {
    await runSql(server, 'ALTER TABLE gone RENAME TO api_key_secret');
  }
  assert.equal((await contract.call('GET', '/v1/me', { key: apiKey })).status, 200);
  const page = await contract.call('GET', '/v1/api-keys?status=all&q=half', { as: ada });
  assert.deepEqual(page.body, { data: [], nextCursor: null }, 'the failed call left nothing');
});

test('ASVS 16.5.3: a revoke that cannot be written fails and has no effect', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'unrevoked' });
  const revoke = () => contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada });
  await whileTableFails(server, { table: 'api_key', message: 'disk' }, async () => {
    const { message } = assertProblem(await revoke(), 'internal_error');
    assert.doesNotMatch(message, /disk|trigger|sql/i);
  });
  assert.equal((await contract.call('GET', '/v1/me', { key: apiKey })).status, 200);
  assert.equal((await revoke()).status, 200);
  assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
});

test('ASVS 16.5.3: sign-in fails without an audit event; for actions that cannot be undone, the log has an error', async () => {
  // Each address has ten password attempts per minute.
  const headers = { 'x-forwarded-for': '192.0.2.7' };
  const [staying, leaving] = [await openSession(proxied), await openSession(proxied)];
  const sessions = async () => (await runSql(proxied, 'SELECT id FROM session')).length;
  const before = await sessions();
  const unwritable = { table: 'audit_event', what: 'INSERT', message: 'no more events' } as const;
  await whileTableFails(proxied, unwritable, async () => {
    const response = await call(`${proxied.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers,
      body: owner,
    });
    assert.match(assertProblem(response, 'storage_unavailable').message, /could not be written\. Try again/);
    assert.deepEqual(response.headers.getSetCookie(), []);
    assert.equal(await sessions(), before, 'the session is ended');
    assert.equal((await leaving.call('POST', '/api/auth/sign-out', {}, headers)).status, 200);
    const renamed = await staying.call('POST', '/api/auth/update-user', { name: 'Renamed' }, headers);
    assert.equal(renamed.status, 200, renamed.text);
    const wrong = { currentPassword: 'a wrong pa55phrase', newPassword: 'another good one' };
    const failedChange = await staying.call('POST', '/api/auth/change-password', wrong, headers);
    assert.equal(failedChange.status, 400, failedChange.text);
  });
  for (const [action, outcome] of [
    ['signed_in', 'the session is ended'],
    ['signed_out', 'the action took effect'],
    ['updated', 'the action took effect'],
    ['password_change_failed', 'the action took effect'],
  ]) {
    const whole = () => proxied.output.split('\n').slice(0, -1);
    const line = await eventually(
      async () => whole().find((text) => text.includes(`"action":"account.${action}"`)),
      (found) => found !== undefined,
    );
    const logged = z.looseObject({ level: z.int(), msg: z.string() }).parse(JSON.parse(line ?? 'null'));
    assert.deepEqual([logged.level, logged.msg], [50, `an audit event could not be written; ${outcome}`]);
    assert.match(String(logged.accountId), /^usr_/);
    assert.equal(logged.address, '192.0.2.7');
  }
  assert.equal((await leaving.call('GET', '/v1/api-keys')).status, 401);
  // The last test signs in here.
});

test('ASVS 4.1.2: the API does not redirect http, because a redirect would hide that a key was sent in the clear', async () => {
  const person = await openSession(proxied);
  const { apiKey } = await person.createKey({ name: 'over http' });
  for (const proto of ['http', 'https']) {
    const fields = [['X-Forwarded-Proto', proto]] as const;
    for (const path of ['/v1/me', '/v1/verify', '/v1/api-keys', '/healthz', '/openapi.json', '/v1/nothing']) {
      const response = await callWithFields(`${proxied.url}${path}`, { fields });
      assert.ok(response.status < 300 || response.status >= 400, `${path} returns ${response.status}`);
      assert.equal(response.headers.get('location'), null);
    }
    const own = [['Authorization', `Bearer ${apiKey}`] as const, ...fields];
    assert.equal((await callWithFields(`${proxied.url}/v1/me`, { fields: own })).status, 200);
  }
});

test('ASVS 4.1.3: without TRUST_PROXY, no header changes the address of a client', async () => {
  // Each claims another address, so that one sign-in shows which of them was believed.
  const claims = {
    'X-Forwarded-For': '203.0.113.1',
    'X-Real-IP': '203.0.113.2',
    Forwarded: 'for=203.0.113.3',
    'X-Client-IP': '203.0.113.4',
    'X-Soku-Client-Address': '203.0.113.5',
  };
  assert.match((await addressStored(server, claims)) ?? '', /^(127\.0\.0\.1|::1)$/);
});

test('ASVS 4.1.3: behind a trusted proxy, the client address is the last one that is not a trusted proxy', async () => {
  // client-address.test.ts has more forms of the field, with requests that hash no password.
  const headers = {
    'x-forwarded-for': '198.51.100.1, 203.0.113.9, 10.1.2.3',
    'x-soku-client-address': '203.0.113.66',
  };
  assert.equal(await addressStored(proxied, headers), '203.0.113.9', 'the client wrote the first address');
});
