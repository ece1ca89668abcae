/** When an import has returned, every node accepts the keys, even one that has cached them as unknown. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { HttpSocket } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { bearerField, request } from '../torture/reconnecting-connection.ts';
import { sharedNodes, verify } from './shared-cluster.ts';

const nodes = await sharedNodes();

/** The body of an import of these keys. */
const importOf = (apiKeys: readonly string[]) => ({
  keys: apiKeys.map((apiKey) => ({ name: 'x', hash: createHash('sha256').update(apiKey).digest('hex') })),
});

test('keys that all nodes have rejected as unknown are accepted by all when their import has returned', async () => {
  const [one] = nodes;
  const ada = await openSession(one.server);
  for (let round = 0; round < 3; round++) {
    const apiKeys = Array.from({ length: 20 }, () => generateKey());
    const statuses = () =>
      Promise.all(nodes.flatMap((node) => apiKeys.map((apiKey) => verify(node, apiKey))));
    // Twice, so that they are rejected from the cache.
    for (let i = 0; i < 2; i++) assert.deepEqual(new Set(await statuses()), new Set([401]));
    const response = await ada.call('POST', '/v1/api-keys/import', importOf(apiKeys));
    assert.deepEqual(response.body, { imported: 20, unchanged: 0, problems: [] });
    assert.deepEqual(new Set(await statuses()), new Set([204]));
  }
});

test('an import waits for a frozen node, or that node no longer rejects from its cache', async () => {
  const [one, , frozen] = nodes;
  const ada = await openSession(one.server);
  const apiKey = generateKey();
  for (let i = 0; i < 2; i++) assert.equal(await verify(frozen, apiKey), 401);
  const socket = await HttpSocket.open(frozen.url);
  frozen.freeze();
  try {
    const response = await ada.call('POST', '/v1/api-keys/import', importOf([apiKey]));
    assert.deepEqual(response.body, { imported: 1, unchanged: 0, problems: [] });
    // The node handles this request first when it wakes up.
    const verification = socket.send(request('GET', '/v1/verify', bearerField(apiKey)));
    frozen.thaw();
    assert.equal((await verification).status, 204, 'rejected after the import returned');
  } finally {
    frozen.thaw();
    socket.close();
  }
});
