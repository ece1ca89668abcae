/** GET /metrics: what it counts, and who may read it. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { generateKey } from '@soku/key';
import { z } from 'zod';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { assertLimited } from '../support/limits.ts';
import { bearer, call } from '../support/person.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);

/** The value of a metric, by its name and labels in the format of Prometheus; NaN if it is missing. */
async function metric(name: string, of: TestServer = server): Promise<number> {
  const { text } = await call(`${of.url}/metrics`);
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? Number.NaN);
}

/** How much each of some metrics grows during some work. */
async function growth(names: string[], work: () => Promise<unknown>): Promise<number[]> {
  const read = () => Promise.all(names.map(async (name) => (await metric(name)) || 0));
  const before = await read();
  await work();
  return (await read()).map((value, i) => value - (before[i] ?? 0));
}

const result = (code: string) => `soku_verifications_total{result="${code}"}`;
const found = (where: string) => `soku_cache_lookups_total{found="${where}"}`;

test('verifications are counted by their result, on every endpoint', async () => {
  const { apiKey } = await ada.createKey({ name: 'counted' });
  const backEnd = await ada.createKey({ name: 'asking', scopes: ['keys:verify'] });
  const names = [
    result('valid'),
    result('unknown_key'),
    result('malformed_key'),
    result('missing_authorization'),
  ];
  const grown = await growth(names, async () => {
    await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) });
    await call(`${server.url}/v1/me`, { headers: bearer(apiKey) });
    // Counts twice: for the calling key and for the key in the body.
    await call(`${server.url}/v1/verify`, {
      method: 'POST',
      headers: bearer(backEnd.apiKey),
      body: { apiKey },
    });
    await call(`${server.url}/v1/verify`, { headers: bearer(generateKey()) });
    await call(`${server.url}/v1/verify`, { headers: bearer('sk_live_x') });
    await call(`${server.url}/v1/verify`);
  });
  assert.deepEqual(grown, [4, 1, 1, 1]);
});

test('lookups are counted by where the key was found', async () => {
  const { apiKey } = await ada.createKey({ name: 'cached' });
  const unknown = generateKey();
  const grown = await growth([found('database'), found('good'), found('refused')], async () => {
    for (let i = 0; i < 3; i++) await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) });
    for (let i = 0; i < 5; i++) await call(`${server.url}/v1/verify`, { headers: bearer(unknown) });
  });
  assert.deepEqual(grown, [2, 2, 4]);
});

test('the duration of verifications is a histogram with cumulative buckets', async () => {
  const name = 'soku_verification_duration_seconds';
  const [count, infinite] = await growth([`${name}_count`, `${name}_bucket{le="+Inf"}`], async () => {
    // One verification in sixteen is timed.
    for (let i = 0; i < 64; i++) await call(`${server.url}/v1/verify`);
  });
  assert.deepEqual([count, infinite], [4, 4]);
  const { text } = await call(`${server.url}/metrics`);
  const buckets = [...text.matchAll(/^soku_verification_duration_seconds_bucket\{le="[^"]+"\} (\d+)$/gm)];
  const values = buckets.map(([, value]) => Number(value));
  assert.equal(values.length, 12);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
  assert.ok((await metric(`${name}_sum`)) > 0);
});

test('limits, memory and unwritten uses are reported', async () => {
  const names = ['soku_limit_refusals_total{policy="key"}', 'soku_cached_keys{kind="good"}'];
  const verify = (apiKey: string) => call(`${server.url}/v1/verify`, { headers: bearer(apiKey) });
  // Repeated, because a new minute allows more, and a busy server may lose its lease, without which it caches nothing.
  const verifyThrice = async () => {
    const { apiKey } = await ada.createKey({ name: 'once', rateLimit: 1 });
    return growth(names, async () => {
      for (let i = 0; i < 3; i++) await verify(apiKey);
    });
  };
  await eventually(verifyThrice, (grown) => isDeepStrictEqual(grown, [2, 1]));
  assert.ok((await metric('soku_limit_windows{policy="key"}')) >= 1);
  const { apiKey } = await ada.createKey({ name: 'used' });
  // Repeated, because uses are written every few seconds.
  await eventually(
    async () => {
      await verify(apiKey);
      return metric('soku_usage_unwritten');
    },
    (unwritten) => unwritten >= 1,
  );
  assert.ok((await metric('process_resident_memory_bytes')) > 1e6);
});

test('no metric contains anything that a client sent', async () => {
  const { apiKey } = await ada.createKey({ name: 'a unique name' });
  await call(`${server.url}/v1/verify`, { headers: { ...bearer(apiKey), 'user-agent': 'unique-agent' } });
  const { text } = await call(`${server.url}/metrics`);
  for (const secret of [apiKey, apiKey.slice(8, 16), 'unique name', 'unique-agent']) {
    assert.ok(!text.includes(secret), secret);
  }
});

test('without a token only local programs may read metrics, but not through a proxy', async () => {
  const contract = await Contract.of(server);
  assert.equal((await contract.call('GET', '/metrics')).status, 200);
  for (const field of [
    ['X-Forwarded-For', '203.0.113.7'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['Forwarded', 'for=203.0.113.7'],
    ['Via', '1.1 proxy'],
    ['X-Real-IP', '203.0.113.7'],
  ] as const) {
    assertProblem(await contract.call('GET', '/metrics', { fields: [field] }), 'not_found');
  }
});

test('without a token, a web page cannot read metrics by DNS rebinding', async () => {
  const named = await startServer({ env: { SOKU_PUBLIC_URL: 'https://keys.example.com' } });
  const socket = await HttpSocket.open(named.url);
  const request = (path: string, host: string) => socket.send(`GET ${path} HTTP/1.1\r\n${host}\r\n\r\n`);
  try {
    for (const path of ['/metrics', '/v1/nodes']) {
      for (const host of [
        'localhost',
        'LOCALHOST:9',
        '127.0.0.1:3000',
        '127.9.9.9',
        '[::1]:3000',
        '[0:0::1]',
        'keys.example.com',
        'Keys.Example.com:3000',
      ]) {
        assert.equal((await request(path, `Host: ${host}`)).status, 200, host);
      }
      for (const host of [
        'evil.example',
        'evil.example:3000',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'keys.example.com.evil.example',
        'localhost@evil.example',
        'evil.example:80@localhost',
        '0.0.0.0',
        '[::]',
        '[::1',
        '::1',
        '',
      ]) {
        const { status, body } = await request(path, `Host: ${host}`);
        assert.equal(status, 404, host);
        assert.match(body, /"code":"not_found","message":"The Host header is neither/, host);
      }
    }
  } finally {
    socket.close();
    await named.stop();
  }
});

/** A server with an IPv6 address, which also listens there. */
const onIpv6 = await startServer({ env: { HOST: '::', SOKU_PUBLIC_URL: 'http://[2001:db8::7]:3000' } });
after(() => onIpv6.stop());

test('the public URL may have an IPv6 address, in any spelling of the Host header', async () => {
  const socket = await HttpSocket.open(onIpv6.url);
  try {
    for (const [host, status] of [
      ['[2001:db8::7]:3000', 200],
      ['[2001:DB8:0::7]', 200],
      ['[2001:db8::8]', 404],
    ] as const) {
      assert.equal(
        (await socket.send(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status,
        status,
        host,
      );
    }
  } finally {
    socket.close();
  }
});

test('GET /v1/nodes lists the only server, to the callers that may read metrics, not to keys or people', async () => {
  const contract = await Contract.of(server);
  const { status, body } = await contract.call('GET', '/v1/nodes');
  assert.equal(status, 200);
  const { data } = z
    .object({ data: z.array(z.object({ name: z.string(), self: z.boolean(), state: z.string() })) })
    .parse(body);
  const nodes = data.map(({ name, self, state }) => [name, self, state]);
  assert.deepEqual(nodes, [[`${hostname()}:${server.pid}`, true, 'ready']]);
  const { apiKey } = await ada.createKey({ name: 'reader', scopes: ['keys:read'] });
  const fields: Fields = [['X-Forwarded-For', '203.0.113.7']];
  for (const caller of [{}, { key: apiKey }, { as: ada }]) {
    assertProblem(await contract.call('GET', '/v1/nodes', { ...caller, fields }), 'not_found');
  }
});

test('GET /api/servers returns only the number of servers, to people who are signed in', async () => {
  const url = `${server.url}/api/servers`;
  const response = await ada.call('GET', '/api/servers');
  assert.equal(response.status, 200);
  assert.deepEqual(response.body, { total: 1, ready: 1 });
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const { apiKey } = await ada.createKey({ name: 'not a person', scopes: ['keys:read'] });
  for (const headers of [{}, bearer(apiKey)]) assertProblem(await call(url, { headers }), 'session_over');
});

test('with HOST=:: too, local programs may read metrics, but not through a proxy', async () => {
  const url = onIpv6.url.replace('localhost', '127.0.0.1');
  assert.equal((await callWithFields(`${url}/metrics`)).status, 200);
  const fields: Fields = [['X-Forwarded-For', '203.0.113.7']];
  assertProblem(await callWithFields(`${url}/metrics`, { fields }), 'not_found');
});

test('behind a trusted proxy, the address of the client decides who may read metrics', async () => {
  const contract = await Contract.of(await sharedServer(proxyAndWebhookEnv));
  const metricsWith = (...fields: Fields) => contract.call('GET', '/metrics', { fields });
  assert.equal((await metricsWith()).status, 200);
  assertProblem(await metricsWith(['X-Forwarded-For', '203.0.113.7']), 'not_found');
  assertProblem(await metricsWith(['X-Forwarded-For', '127.0.0.1, 203.0.113.7']), 'not_found');
});

const token = 'a-token-of-16-characters-or-more';
const guarded = await startServer({ env: { SOKU_METRICS_TOKEN: token } });
after(() => guarded.stop());

test('with a token, only callers that send it may read metrics, from any address', async () => {
  const contract = await Contract.of(guarded);
  const metricsWith = (value: string) =>
    contract.call('GET', '/metrics', { fields: [['Authorization', value]] });
  assert.equal((await metricsWith(`Bearer ${token}`)).status, 200);
  assertProblem(await contract.call('GET', '/metrics'), 'not_found');
  for (const value of [`Bearer ${token}x`, `Bearer ${token.slice(1)}`, token, `Basic ${token}`]) {
    assertProblem(await metricsWith(value), 'not_found');
  }
  // Prometheus calls a server by whatever name or address it has.
  const socket = await HttpSocket.open(guarded.url);
  const scrape = `GET /metrics HTTP/1.1\r\nHost: 10.0.0.7:3000\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  assert.equal((await socket.send(scrape)).status, 200);
  socket.close();
  assert.ok(!guarded.output.includes(token));
});

test('wrong tokens are rate limited by address, and the right one never is', async () => {
  const url = `${guarded.url.replace('localhost', '127.0.0.1')}/v1/nodes`;
  const request = (value: string, from = '127.0.0.3') =>
    callWithFields(url, { from, fields: [['Authorization', `Bearer ${value}`]] });
  // The limit is ten per minute, and a minute may end meanwhile.
  let response = await request('wrong 0');
  for (let i = 1; i < 20 && response.status !== 429; i++) response = await request(`wrong ${i}`);
  assertLimited(response, 'address', 10, Date.now());
  assert.equal((await request(token)).status, 200, 'the right token, from the same address');
  assert.equal((await request('wrong', '127.0.0.2')).status, 404, 'another address');
  assertProblem(await callWithFields(url, { from: '127.0.0.3' }), 'not_found');
});
