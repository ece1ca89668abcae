import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { callWithFields } from '../support/http.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedNodes } from './shared-cluster.ts';

/** ms: a lease, plus time for a busy machine. The torture test checks the lease itself. */
const timeout = 2000 + 30_000;

const [node] = await sharedNodes();

const verify = (apiKey: string) => call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
const readiness = () => call(`${node.url}/readyz`);

/** Repeats a request while the response has one status, until it has another; fails after a timeout. */
async function becomes(
  [before, status]: [before: number, after: number],
  request: () => Promise<HttpResponse>,
): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const response = await request();
    if (response.status === status) break;
    assert.equal(response.status, before, response.text);
    assert.ok(performance.now() - begun < timeout, `still ${response.status} ${response.text}`);
    await pause(10);
  }
}

test('a node without a lease and without its database responds 503, and recovers by itself', async () => {
  const ada = await openSession(node.server);
  const good = await ada.createKey({ name: 'good' });
  const revoked = await ada.createKey({ name: 'revoked' });
  const backEnd = await ada.createKey({ name: 'back end', scopes: ['keys:verify'] });
  await ada.revoke(revoked.key.id);
  // On a busy machine, the node has lost its lease at times.
  await becomes([503, 204], () => verify(good.apiKey));
  await becomes([503, 401], () => verify(revoked.apiKey));
  await becomes([503, 200], readiness);

  node.proxy.cut();
  // The key is cached, and accepted as long as the lease lasts.
  await becomes([204, 503], () => verify(good.apiKey));
  const responses = {
    GET: await verify(good.apiKey),
    HEAD: await callWithFields(`${node.url}/v1/verify`, {
      method: 'HEAD',
      fields: [['Authorization', `Bearer ${good.apiKey}`]],
    }),
    'GET /v1/me': await call(`${node.url}/v1/me`, {
      headers: bearer(good.apiKey),
    }),
    'POST by a back end': await call(`${node.url}/v1/verify`, {
      method: 'POST',
      headers: bearer(backEnd.apiKey),
      body: { apiKey: good.apiKey },
    }),
  };
  for (const [endpoint, { status, headers, body, text }] of Object.entries(responses)) {
    assert.equal(status, 503, `${endpoint}: ${text}`);
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/, endpoint);
    if (text !== '') assert.equal(errorSchema.parse(body).error.code, 'verification_unavailable', endpoint);
  }
  assert.equal((await readiness()).status, 503);
  assert.equal((await call(`${node.url}/healthz`)).status, 200, 'a restart would not help');
  const rejected = await verify(revoked.apiKey);
  assert.equal(errorSchema.parse(rejected.body).error.code, 'revoked_key', 'a revoked key stays revoked');

  node.proxy.heal();
  await becomes([503, 200], readiness);
  await becomes([503, 204], () => verify(good.apiKey));
});
