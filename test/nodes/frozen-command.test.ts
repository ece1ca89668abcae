/** A node whose process is stopped in the middle of a command delays revokes of its workspace only briefly. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { keyListSchema } from '@soku/contract/keys';
import { revokedKeySchema } from '@soku/contract/revocations';
import { z } from 'zod';
import { Deployment } from '../operations/nodes.ts';
import { eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';

const deployment = await Deployment.start(2);
after(() => deployment.stop());
const [frozen, other] = [deployment.node(0), deployment.node(1)];

/** The other sessions of the database that satisfy a condition. */
async function sessions(condition: string): Promise<number[]> {
  const found = await deployment.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`,
  );
  return z
    .array(z.object({ pid: z.number() }))
    .parse(found)
    .map(({ pid }) => pid);
}

test('revokes return while a node is frozen during the creation of a key, and no key remains', async () => {
  const ada = await openSession(other.server);
  const parent = await ada.createKey({ name: 'parent', scopes: ['keys:write', 'keys:read'] });
  const asParent = { method: 'POST', headers: bearer(parent.apiKey), body: { name: 'child' } };
  assert.equal((await call(`${other.url}/v1/api-keys`, asParent)).status, 201);
  const alone = await ada.createKey({ name: 'alone' });
  const verify = async (apiKey: string) =>
    (await call(`${frozen.url}/v1/verify`, { headers: bearer(apiKey) })).status;
  const keys = [parent.apiKey, alone.apiKey];
  for (const key of keys)
    await eventually(
      () => verify(key),
      (status) => status === 204,
    );

  const creating = deployment.whileLocked('api_key_secret', async () => {
    const response = new Person(frozen.url, ada.cookie).call('POST', '/v1/api-keys', { name: 'half' });
    // Now it holds the lock of its workspace.
    const [pid] = await eventually(
      () => sessions(`wait_event_type = 'Lock' AND query ILIKE 'insert into "api_key_secret"%'`),
      ({ length }) => length === 1,
    );
    process.kill(frozen.server.pid, 'SIGSTOP');
    return { response, pid };
  });
  const { response, pid } = await creating;
  try {
    // Idle in its transaction, or, on a busy machine, terminated already because it was.
    await eventually(
      () => sessions(`pid = ${pid} AND state <> 'idle in transaction'`),
      ({ length }) => length === 0,
    );
    const revoked = await Promise.all([
      ada.call('POST', `/v1/api-keys/${alone.key.id}/revoke`),
      ada.call('POST', `/v1/api-keys/${parent.key.id}/revoke`, { descendants: true }),
    ]);
    for (const { status, text, body } of revoked) {
      assert.equal(status, 200, text);
      assert.equal(revokedKeySchema.parse(body).revocation.effective, true);
    }
  } finally {
    process.kill(frozen.server.pid, 'SIGCONT');
  }
  for (const key of keys) {
    // Until it has a lease again, it cannot verify the key.
    const statuses: number[] = [];
    await eventually(
      async () => statuses.push(await verify(key)),
      () => statuses.at(-1) === 401,
    );
    assert.ok(!statuses.includes(204), 'accepted after the revoke returned');
  }
  assert.equal((await response).status, 503, 'its transaction was terminated');
  const page = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?status=all')).body);
  assert.deepEqual(page.data.map(({ name, status }) => `${name} ${status}`).sort(), [
    'alone revoked',
    'child revoked',
    'parent revoked',
  ]);
  const { data } = auditPageSchema.parse((await ada.call('GET', '/v1/audit')).body);
  const events = data.filter(({ target }) => target.kind === 'key');
  assert.deepEqual(
    events.map(({ action, target }) => `${target.name} ${action}`).sort(),
    ['alone', 'child', 'parent'].flatMap((name) => [`${name} key.created`, `${name} key.revoked`]),
  );
});
