import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageSchema } from '@soku/contract/usage';
import type { Program } from '../support/debian.ts';
import type { Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import type { ProxyFixture } from './fixture.ts';
import type { ProxyProcess, Recipe } from './proxy.ts';
import { type RecordedRequest, valuesOf } from './recorded-server.ts';

/** Forged identity fields. CGI-style servers treat all these spellings as one name. */
const forged: Fields = [
  ['X-Soku-Key-Id', 'forged'],
  ['x-soku-key-id', 'forged'],
  ['X-SOKU-KEY-ID', 'forged'],
  ['X_Soku_Key_Id', 'forged'],
  ['X-Soku_Key-Id', 'forged'],
  ['x_soku_workspace_id', 'forged'],
  ['X-Soku-Workspace-Id', 'forged'],
  ['X-Soku-Key-Name', 'forged'],
  ['X-Soku-Key-Name', 'forged'],
  ['X-Soku-Scopes', 'forged'],
  ['X-Soku-Environment', 'forged'],
  ['X_Soku_Environment', 'forged'],
  ['X-Soku-External-Id', 'forged'],
  ['x-soku_external-id', 'forged'],
  ['X.Soku.Scopes', 'forged'],
  ['X-Soku-Status', 'forged'],
  ['X-Soku-Error', 'forged'],
  ['X-Soku-Key', 'forged'],
  ['X-Soku-Workspace', 'forged'],
  ['X-Forwarded-For', 'forged'],
];

/** All fields of a request that could be mistaken for Soku's. */
function identityOf(request: RecordedRequest): Record<string, string[]> {
  const own = request.fields.filter(([name]) => /soku/i.test(name));
  const grouped = Map.groupBy(own, ([name]) => name.toLowerCase());
  return Object.fromEntries([...grouped].map(([name, fields]) => [name, fields.map(([, value]) => value)]));
}

/** The API receives a request with a valid key and the identity of the key, and the client gets the response. */
export function testAcceptedRequests(recipe: Recipe, program: Program, fixture: () => ProxyFixture): void {
  test('a request with a valid key reaches the API with the identity of the key, but without the key', async () => {
    const { ada, api } = fixture();
    const { apiKey, key } = await ada.createKey({
      name: 'Grüße, "100 %"',
      scopes: ['keys:read', 'keys:verify'],
      externalId: 'Kundin 7, Zürich',
    });
    const response = await fixture().send({ key: apiKey, path: '/orders/7?page=2&q=%20a' });
    assert.equal(response.status, 200, response.text);
    assert.deepEqual([api.last.method, api.last.url], ['GET', '/orders/7?page=2&q=%20a']);
    const identity = identityOf(api.last);
    assert.deepEqual(identity['x-soku-key-id'], [key.id]);
    assert.match(String(identity['x-soku-workspace-id']), /^ws_\w{26}$/);
    assert.equal(decodeURIComponent(String(identity['x-soku-key-name'])), 'Grüße, "100 %"');
    assert.deepEqual(identity['x-soku-scopes'], ['keys:read keys:verify']);
    assert.deepEqual(identity['x-soku-environment'], ['live']);
    assert.equal(decodeURIComponent(String(identity['x-soku-external-id'])), 'Kundin 7, Zürich');
    assert.deepEqual(valuesOf(api.last, 'authorization'), []);
    assert.ok(!JSON.stringify(api.last).includes(apiKey));
  });

  test('the client gets the rate-limit fields, but not the identity fields', async () => {
    const { apiKey } = await fixture().ada.createKey({ name: 'limits' });
    const { headers } = await fixture().send({ key: apiKey });
    assert.match(headers.get('ratelimit') ?? '', /^"key";r=999;t=\d+$/);
    assert.equal(headers.get('ratelimit-policy'), '"key";q=1000;w=60');
    assert.equal(headers.get('x-ratelimit-limit'), '1000');
    assert.equal(headers.get('x-ratelimit-remaining'), '999');
    assert.match(headers.get('x-ratelimit-reset') ?? '', /^\d+$/);
    assert.deepEqual(
      [...headers.keys()].filter((name) => name.includes('soku')),
      [],
    );
  });

  test('X-Soku-* fields of a client, in any spelling, do not reach the API (ASVS 4.1.3)', async () => {
    const { ada, api } = fixture();
    for (const scopes of [['keys:read'], []]) {
      const { apiKey, key } = await ada.createKey({ name: 'genuine', scopes });
      assert.equal((await fixture().send({ key: apiKey, fields: forged })).status, 200);
      const identity = identityOf(api.last);
      assert.ok(!JSON.stringify(identity).includes('forged'), JSON.stringify(identity));
      assert.deepEqual(identity['x-soku-key-id'], [key.id]);
      assert.deepEqual(identity['x-soku-key-name'], ['genuine']);
      assert.deepEqual(valuesOf(api.last, 'x-forwarded-for'), ['127.0.0.1']);
      assert.deepEqual(identity['x-soku-environment'], ['live']);
      // nginx omits an empty field, and the other proxies send it.
      assert.equal(String(identity['x-soku-scopes'] ?? ''), scopes.join(' '));
      assert.equal(String(identity['x-soku-external-id'] ?? ''), '');
    }
  });

  test('a client cannot remove the identity by naming its fields in Connection (RFC 9110 section 7.6.1)', async () => {
    const { ada, api } = fixture();
    const { apiKey, key } = await ada.createKey({ name: 'hop by hop' });
    for (const value of [
      'X-Soku-Key-Id',
      'close, x-soku-key-id, X-Soku-Scopes, X-Soku-External-Id',
      'keep-alive,X-SOKU-KEY-ID',
    ]) {
      assert.equal((await fixture().send({ key: apiKey, fields: [['Connection', value]] })).status, 200);
      assert.deepEqual(identityOf(api.last)['x-soku-key-id'], [key.id], value);
      assert.doesNotMatch(String(valuesOf(api.last, 'connection')), /soku/i);
    }
  });

  test('a client cannot remove its address or its path by naming their fields in Connection', async () => {
    const { ada, api } = fixture();
    const { apiKey, key } = await ada.createKey({ name: 'hop by hop' });
    for (const value of [
      'X-Forwarded-For',
      'X-Original-URI, X-Forwarded-Uri, X-Original-Method, Forwarded',
    ]) {
      const fields = [['Connection', value]] as const;
      const passed = await fixture().send({ key: apiKey, fields, from: '127.0.0.2' });
      // Varnish itself rejects the first.
      if (passed.status === 400 && passed.text === '') continue;
      assert.equal(passed.status, 200, passed.text);
      assert.deepEqual(valuesOf(api.last, 'x-forwarded-for'), ['127.0.0.2']);
      const usage = await ada.call('GET', `/v1/api-keys/${key.id}/usage`);
      assert.equal(usageSchema.parse(usage.body).lastUsed?.address, '127.0.0.2');
      const inQuery = await fixture().send({ path: `/?api_key=${apiKey}`, fields });
      assert.equal(inQuery.status, 401);
      assert.match(inQuery.text, /"key_in_query"/);
    }
  });

  test("the API's own responses are forwarded unchanged, including its rejections and failures", async (t) => {
    const { ada, api } = fixture();
    const { apiKey } = await ada.createKey({ name: 'own responses' });
    const original = api.respond;
    t.after(() => {
      api.respond = original;
    });
    for (const status of [200, 201, 302, 400, 401, 403, 404, 429, 500, 502, 503]) {
      const fields = {
        'Content-Type': 'text/plain',
        'WWW-Authenticate': 'Basic realm="api"',
        'X-Own': 'yes',
      };
      api.respond = () => ({ status, fields, body: `the API says ${status}` });
      const response = await fixture().send({ key: apiKey });
      assert.deepEqual([response.status, response.text], [status, `the API says ${status}`]);
      assert.equal(response.headers.get('x-own'), 'yes');
      assert.equal(response.headers.get('www-authenticate'), 'Basic realm="api"');
      assert.equal(response.headers.get('content-type'), 'text/plain');
    }
  });

  test('a body reaches the API completely, with a length or in chunks', async () => {
    const { ada, api, proxy } = fixture();
    const { apiKey } = await ada.createKey({ name: 'bodies' });
    const body = 'x'.repeat(300_000);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal((await fixture().send({ method, key: apiKey, body })).status, 200);
      assert.equal(api.last.method, method);
      assert.ok(api.last.body.equals(Buffer.from(body)), `received ${api.last.body.length} bytes`);
    }
    const socket = await HttpSocket.open(proxy.url);
    const head = `POST / HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${apiKey}\r\nTransfer-Encoding: chunked\r\n`;
    const chunked = `${head}\r\n${(100_000).toString(16)}\r\n${body.slice(0, 100_000)}\r\n3\r\nend\r\n0\r\n\r\n`;
    assert.equal((await socket.send(chunked)).status, 200);
    socket.close();
    assert.equal(api.last.body.toString(), `${body.slice(0, 100_000)}end`);
  });

  test('if a reader deletes the line as the file explains, the API also gets the key', async (t) => {
    const edit = (text: string): string =>
      text.replace(/(To forward it, delete this line\.\n).*Authorization.*\n/, '$1');
    const other = await fixture().startSecondProxy(recipe, program, edit);
    t.after(() => other.stop());
    const { apiKey } = await fixture().ada.createKey({ name: 'forwarded', rateLimit: 'off' });
    const response = await other.send({ key: apiKey });
    assert.equal(response.status, 200);
    assert.deepEqual(valuesOf(other.api.last, 'authorization'), [`Bearer ${apiKey}`]);
    assert.ok(identityOf(other.api.last)['x-soku-key-id']);
    // The key has no limit, so there are no rate-limit fields, not even empty ones.
    assert.deepEqual(
      [...response.headers.keys()].filter((name) => name.includes('ratelimit')),
      [],
    );
  });

  test('no log of the proxy contains a key, not even one from a URL (ASVS 16.2.5)', async () => {
    const { ada, proxy } = fixture();
    const { apiKey } = await ada.createKey({ name: 'logged' });
    await fixture().send({ key: apiKey });
    await fixture().send({ path: `/orders?api_key=${apiKey}` });
    await fixture().send({ fields: [['X-API-Key', apiKey]] });
    assertNoKey(proxy, apiKey);
  });
}

function assertNoKey(proxy: ProxyProcess, apiKey: string): void {
  const lines = proxy.logs.split('\n').filter((line) => line.includes(apiKey.slice(12)));
  assert.deepEqual(lines, []);
}
