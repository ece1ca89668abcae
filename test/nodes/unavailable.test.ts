import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { exchange } from '../support/http.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { Cluster, type ClusterNode } from '../torture/cluster.ts';

/** ms: a lease, plus time for a busy machine. */
const soon = 2000 + 1500;

let cluster: Cluster;
let node: ClusterNode;
before(async () => {
  cluster = await Cluster.start(1);
  const [first] = cluster.nodes;
  assert.ok(first !== undefined);
  node = first;
});
after(() => cluster.stop());

const verify = (apiKey: string) => call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
const readiness = () => call(`${node.url}/readyz`);

/** Repeats a request until the response has this status; fails after a timeout. */
async function eventually(status: number, ask: () => Promise<HttpResponse>): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer.status === status) break;
    assert.ok(performance.now() - begun < soon, `still ${answer.status} ${answer.text}`);
    await pause(10);
  }
}

test('a node without a lease and without its database responds 503, and recovers by itself', async () => {
  const ada = await openSession(node.server);
  const good = await ada.makeKey({ name: 'good' });
  const dead = await ada.makeKey({ name: 'dead' });
  const asking = await ada.makeKey({ name: 'asking', scopes: ['keys:verify'] });
  await ada.revoke(dead.key.id);
  assert.equal((await verify(good.apiKey)).status, 204);
  assert.equal((await verify(dead.apiKey)).status, 401);
  await eventually(200, readiness);

  node.proxy.cut();
  // Cached, and valid as long as the lease lasts.
  await eventually(503, () => verify(good.apiKey));
  const ways = {
    GET: await verify(good.apiKey),
    HEAD: await exchange(`${node.url}/v1/verify`, {
      method: 'HEAD',
      fields: [['Authorization', `Bearer ${good.apiKey}`]],
    }),
    'GET /v1/me': await call(`${node.url}/v1/me`, {
      headers: bearer(good.apiKey),
    }),
    'POST by a back end': await call(`${node.url}/v1/verify`, {
      method: 'POST',
      headers: bearer(asking.apiKey),
      body: { apiKey: good.apiKey },
    }),
  };
  for (const [way, { status, headers, body, text }] of Object.entries(ways)) {
    assert.equal(status, 503, `${way}: ${text}`);
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/, way);
    if (text !== '') assert.equal(errorSchema.parse(body).error.code, 'verification_unavailable', way);
  }
  assert.equal((await readiness()).status, 503);
  assert.equal((await call(`${node.url}/healthz`)).status, 200, 'a restart would not help');
  const refused = await verify(dead.apiKey);
  assert.equal(errorSchema.parse(refused.body).error.code, 'revoked_key', 'a revoked key stays revoked');

  node.proxy.heal();
  await eventually(200, readiness);
  assert.equal((await verify(good.apiKey)).status, 204);
});
