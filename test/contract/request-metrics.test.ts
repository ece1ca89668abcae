/** GET /metrics: the counts of requests, and the format that Prometheus reads. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertExposition } from '../support/exposition.ts';
import { callWithFields } from '../support/http.ts';
import { bearer, call } from '../support/person.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const server = await startServer();
after(() => server.stop());

test('the first scrape is well formed, and its counters start at zero', async () => {
  const { text } = await call(`${server.url}/metrics`);
  assertExposition(text);
  assert.match(text, /^soku_build_info\{version="\d[^"]*",node="\d[^"]*",database="(sqlite|postgres)"\} 1$/m);
  for (const kind of ['request', 'usage', 'limits', 'journal']) {
    assert.match(text, new RegExp(`^soku_write_failures_total\\{kind="${kind}"\\} 0$`, 'm'));
  }
  assert.match(text, /^soku_last_backup_timestamp_seconds 0$/m);
  assert.match(text, /^soku_last_failed_backup_timestamp_seconds 0$/m);
});

test('requests are counted by route, method and status, never by text from the client', async () => {
  const count = (route: string, method: string, status: number) =>
    `soku_http_requests_total{route="${route}",method="${method}",status="${status}"}`;
  const ada = await openSession(server);
  const { apiKey } = await ada.createKey({ name: 'requests' });
  const names = [
    count('/v1/verify', 'GET', 204),
    count('/v1/verify', 'HEAD', 401),
    count('/v1/verify/*', 'POST', 200),
    count('/v1/me', 'GET', 401),
    count('/v1/api-keys/:id', 'GET', 400),
    count('none', 'GET', 404),
    'soku_http_request_duration_seconds_count{route="/v1/me",method="GET"}',
  ];
  const read = async () => {
    const { text } = await call(`${server.url}/metrics`);
    return names.map((name) => {
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length));
    });
  };
  const before = await read();
  await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) });
  await callWithFields(`${server.url}/v1/verify`, { method: 'HEAD' });
  const authorization = ['Authorization', `Bearer ${apiKey}`] as const;
  await callWithFields(`${server.url}/v1/verify/invented`, { method: 'POST', fields: [authorization] });
  await call(`${server.url}/v1/me`);
  await ada.call('GET', '/v1/api-keys/an-invented-id');
  for (const path of ['/v1/invented-a', '/v1/invented-b']) await call(`${server.url}${path}`);
  await callWithFields(`${server.url}/v1/invented`, { method: 'PROPFIND', body: '' });
  const grown = await read();
  assert.deepEqual(
    grown.map((value, i) => value - (before[i] ?? 0)),
    [1, 1, 1, 1, 1, 2, 1],
  );
  const { text } = await call(`${server.url}/metrics`);
  assertExposition(text);
  assert.doesNotMatch(text, /invented|PROPFIND/);
});
