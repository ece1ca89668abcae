/**
 * Proxies that cannot run in this test: Soku receives the requests that they send according to their documentation
 * (Envoy, Traefik) or template (ingress-nginx), and must respond as its own pages about them promise.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateKey } from '@soku/key';
import { assertProblem } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { codeBlocks } from '../support/markdown.ts';
import type { HttpResponse } from '../support/person.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1', SOKU_ADDRESS_RATE_LIMIT: '3' } });
after(() => server.stop());
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({ name: 'Größe', rateLimit: 1000 });

interface Original {
  method: string;
  /** Path and query. */
  uri: string;
  fields: Fields;
  address: string;
}

/** The request that each proxy sends to Soku, and the status that it takes for an acceptance. */
const proxies: Record<
  string,
  { acceptedStatus: number; verify: (original: Original) => Promise<HttpResponse> }
> = {
  Envoy: {
    acceptedStatus: 200,
    // config.filters.http.ext_authz: always Method, Path, Host, Content-Length and Authorization; others if allowed.
    verify: ({ method, uri, fields, address }) =>
      callWithFields(`${server.url}/v1/verify${uri}`, {
        method,
        fields: [...fields, ['X-Forwarded-For', address]],
      }),
  },
  Traefik: {
    acceptedStatus: 204,
    verify: ({ method, uri, fields, address }) =>
      callWithFields(`${server.url}/v1/verify`, {
        fields: [
          ...fields,
          ['X-Forwarded-Method', method],
          ['X-Forwarded-Proto', 'https'],
          ['X-Forwarded-Host', 'api.example.com'],
          ['X-Forwarded-Uri', uri],
          ['X-Forwarded-For', address],
        ],
      }),
  },
  'ingress-nginx': {
    acceptedStatus: 204,
    verify: ({ method, uri, fields, address }) =>
      callWithFields(`${server.url}/v1/verify`, {
        fields: [
          ...fields,
          ['X-Original-URL', `https://api.example.com${uri}`],
          ['X-Original-Method', method],
          ['X-Sent-From', 'nginx-ingress-controller'],
          ['X-Real-IP', address],
          ['X-Forwarded-For', address],
          ['X-Auth-Request-Redirect', uri],
        ],
      }),
  },
};

let addresses = 0;

for (const [name, { acceptedStatus, verify }] of Object.entries(proxies)) {
  const clientAddress = `203.0.113.${++addresses}`;
  const send = (fields: Fields, more: Partial<Original> = {}) =>
    verify({ method: 'POST', uri: '/orders?page=2', fields, address: clientAddress, ...more });

  test(`${name}: a valid key is accepted with its identity, and the response is not cacheable`, async () => {
    const response = await send([['Authorization', `Bearer ${apiKey}`]]);
    assert.equal(response.status, acceptedStatus);
    assert.equal(response.headers.get('x-soku-key-id'), key.id);
    assert.equal(response.headers.get('x-soku-key-name'), 'Gr%C3%B6%C3%9Fe');
    // Present but empty, so that it overwrites a client's field.
    assert.equal(response.headers.get('x-soku-scopes'), '');
    assert.equal(response.headers.get('x-soku-external-id'), '');
    assert.equal(response.headers.get('x-soku-environment'), 'live');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.match(response.headers.get('ratelimit') ?? '', /^"key";r=/);
  });

  test(`${name}: a rejection has the correct code`, async () => {
    assertProblem(await send([]), 'missing_authorization');
    assertProblem(await send([['X-API-Key', apiKey]]), 'wrong_header');
    assertProblem(await send([], { uri: `/orders?api_key=${apiKey}` }), 'key_in_query');
    const preflight: Fields = [['Access-Control-Request-Method', 'GET']];
    const { message } = assertProblem(await send(preflight, { method: 'OPTIONS' }), 'missing_authorization');
    assert.match(message, /CORS preflight/);
    const revoked = await ada.createKey({ name: 'revoked' });
    await ada.revoke(revoked.key.id);
    assertProblem(await send([['Authorization', `Bearer ${revoked.apiKey}`]]), 'revoked_key');
  });

  test(`${name}: guesses are limited by the address of the client, not of the proxy`, async () => {
    const guess = (address: string) => send([['Authorization', `Bearer ${generateKey()}`]], { address });
    const first = `198.51.100.${addresses}`;
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push((await guess(first)).status);
    assert.ok(codes.includes(429), String(codes));
    assertProblem(await guess(`192.0.2.${addresses}${codes.length}`), 'unknown_key');
  });
}

test('the pages contain the current example files', () => {
  for (const [page, example] of [
    ['envoy', 'envoy/envoy.yaml'],
    ['envoy', 'envoy/istio.yaml'],
    ['traefik', 'traefik/soku.yaml'],
    ['ingress-nginx', 'ingress-nginx/ingress.yaml'],
  ] as const) {
    const file = `examples/${example}`;
    const shown = codeBlocks(`docs/protect-with-${page}.md`, `yaml file=${file}`);
    assert.deepEqual(shown, [readFileSync(join(root, file), 'utf8')], file);
  }
});
