/** Every way to revoke keys on several nodes: when the call has returned, no node accepts them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CreatedKey } from '@soku/contract/keys';
import {
  revokedKeySchema,
  revokedKeysSchema,
  revokedWorkspaceSchema,
  selfRevocationSchema,
} from '@soku/contract/revocations';
import { HttpSocket } from '../support/http-socket.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { bearerField, request } from '../torture/reconnecting-connection.ts';
import { sharedGithub, sharedNodes, verify } from './shared-cluster.ts';

const nodes = await sharedNodes();
const ada = await openSession(nodes[0].server);

/** Keys that all nodes have cached, and may accept from their cache. */
async function cachedKeys(count: number): Promise<[CreatedKey, ...CreatedKey[]]> {
  const first = await ada.createKey({ name: 'to revoke 0' });
  const rest = [];
  for (let i = 1; i < count; i++) rest.push(await ada.createKey({ name: `to revoke ${i}` }));
  for (const node of nodes) {
    for (const { apiKey } of [first, ...rest]) {
      while ((await verify(node, apiKey)) !== 204 || (await call(`${node.url}/readyz`)).status !== 200)
        await pause(10);
    }
  }
  return [first, ...rest];
}

type Revoke = (keys: [CreatedKey, ...CreatedKey[]]) => Promise<HttpResponse>;

interface Way {
  count: number;
  /** Whether the workspace revokes leaked keys. */
  byPolicy?: boolean;
  revoke: Revoke;
  /** How many nodes the call says to have reached, if it does. */
  nodesOf?: (body: unknown) => number;
}

const setLeakPolicy = async (revokeLeakedKeys: boolean) => {
  assert.equal((await ada.call('PATCH', '/v1/workspace', { revokeLeakedKeys })).status, 200);
};

const ways: Record<string, Way> = {
  'a bulk revoke': {
    count: 5,
    revoke: (keys) => ada.call('POST', '/v1/api-keys/revoke', { ids: keys.map(({ key }) => key.id) }),
    nodesOf: (body) => revokedKeysSchema.parse(body).revocation.nodes,
  },
  'a revoke of all keys': {
    count: 5,
    revoke: () => ada.call('POST', '/v1/api-keys/revoke', { all: true }),
    nodesOf: (body) => revokedWorkspaceSchema.parse(body).revocation.nodes,
  },
  'a revoke of the calling key': {
    count: 1,
    revoke: ([{ apiKey }]) =>
      call(`${nodes[1].url}/v1/api-keys/self/revoke`, { method: 'POST', headers: bearer(apiKey) }),
    nodesOf: (body) => selfRevocationSchema.parse(body).revocation.nodes,
  },
  'a report of leaked keys': {
    count: 2,
    byPolicy: true,
    revoke: (keys) => {
      const place = { type: 'acme_api_key', url: 'https://github.com/a/b', source: 'content' };
      const body = JSON.stringify(keys.map(({ apiKey }) => ({ token: apiKey, ...place })));
      const headers = { ...Object.fromEntries(sharedGithub.sign(body)), 'content-type': 'application/json' };
      return call(`${nodes[1].url}/v1/leaks/github`, { method: 'POST', headers, body });
    },
  },
};

for (const [name, { count, byPolicy = false, revoke, nodesOf }] of Object.entries(ways)) {
  test(`no node accepts a key once ${name} has returned, even one that was frozen`, async () => {
    await setLeakPolicy(byPolicy);
    const keys = await cachedKeys(count);
    const frozen = nodes[2];
    const sockets = await Promise.all(keys.map(() => HttpSocket.open(frozen.url)));
    frozen.freeze();
    try {
      const response = await revoke(keys);
      // The node handles these requests first when it wakes up.
      const verifications = sockets.map((socket, i) =>
        socket.send(request('GET', '/v1/verify', bearerField(keys[i]?.apiKey ?? ''))),
      );
      frozen.thaw();
      for (const verification of verifications) assert.equal((await verification).status, 401);
      assert.equal(response.status, 200, response.text);
      // Another node may be late on a busy machine, too.
      if (nodesOf !== undefined)
        assert.ok([1, 2].includes(nodesOf(response.body)), 'the frozen node has not applied the change');
      const statuses = nodes.flatMap((node) => keys.map(({ apiKey }) => verify(node, apiKey)));
      assert.deepEqual(new Set(await Promise.all(statuses)), new Set([401]));
    } finally {
      frozen.thaw();
      for (const socket of sockets) socket.close();
    }
  });
}

test('a second revoke does not return while the first one waits for a frozen node', async () => {
  const [, other, frozen] = nodes;
  const otherSession = await openSession(other.server);
  const [{ apiKey, key }] = await cachedKeys(1);
  const path = `/v1/api-keys/${key.id}/revoke`;
  const socket = await HttpSocket.open(frozen.url);
  frozen.freeze();
  try {
    const first = ada.call('POST', path);
    // The first revoke is committed and waits.
    while ((await verify(other, apiKey)) !== 401) await pause(5);
    const second = otherSession.call('POST', path);
    const winner = await Promise.race([first, second]);
    // The node handles this request when it wakes up. With a valid lease it would respond before it learns of the
    // change.
    const verification = socket.send(request('GET', '/v1/verify', bearerField(apiKey)));
    frozen.thaw();
    assert.equal((await verification).status, 401, 'accepted after a revoke returned');
    const { nodes: reached } = revokedKeySchema.parse(winner.body).revocation;
    assert.ok(reached === 1 || reached === 2, 'the frozen node has not applied the change');
    for (const response of await Promise.all([first, second])) {
      assert.equal(response.status, 200, response.text);
      const { revocation } = revokedKeySchema.parse(response.body);
      assert.equal(revocation.effective, true);
      assert.ok(revocation.waitedMs > 0, response.text);
    }
  } finally {
    frozen.thaw();
    socket.close();
  }
});

test('a repeated revoke is published like the first one, although it changes nothing', async () => {
  const [{ server }] = nodes;
  const { key } = await ada.createKey({ name: 'revoked again' });
  await ada.revoke(key.id);
  const published = async () => Number((await runSqlOn(server, 'SELECT seq FROM change_head'))[0]?.seq);
  const before = await published();
  // A commit that writes nothing would not wait for a synchronous standby, to which the first revoke may not be copied.
  assert.equal((await ada.revoke(key.id)).status, 'revoked');
  assert.equal(await published(), before + 1);
});
