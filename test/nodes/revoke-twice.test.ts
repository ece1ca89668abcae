import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { revokedKeySchema } from '@soku/contract/revocations';
import { HttpSocket } from '../support/http-socket.ts';
import { inDatabaseOf } from '../support/in-database.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { Cluster, type ClusterNode } from '../torture/cluster.ts';
import { bearerField, request } from '../torture/reconnecting-connection.ts';

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start(3);
});
after(() => cluster.stop());

const verify = async (node: ClusterNode, apiKey: string) =>
  (await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) })).status;

test('a second revoke does not return while the first one waits for a frozen node', async () => {
  const [one, other, frozen] = cluster.nodes;
  assert.ok(one !== undefined && other !== undefined && frozen !== undefined);
  const [ada, otherSession] = [await openSession(one.server), await openSession(other.server)];
  const { apiKey, key } = await ada.createKey({ name: 'revoked twice' });
  // Now the key is cached on the node that will be frozen, which has a lease.
  while ((await verify(frozen, apiKey)) !== 204 || (await call(`${frozen.url}/readyz`)).status !== 200) {
    await pause(10);
  }
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
    assert.equal(
      revokedKeySchema.parse(winner.body).revocation.nodes,
      2,
      'the frozen node has not applied the change',
    );
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
  const [{ server } = assert.fail()] = cluster.nodes;
  const ada = await openSession(server);
  const { key } = await ada.createKey({ name: 'revoked again' });
  await ada.revoke(key.id);
  const published = async () => Number((await inDatabaseOf(server, 'SELECT seq FROM change_head'))[0]?.seq);
  const before = await published();
  // A commit that writes nothing would not wait for a synchronous standby, to which the first revoke may not be copied.
  assert.equal((await ada.revoke(key.id)).status, 'revoked');
  assert.equal(await published(), before + 1);
});
