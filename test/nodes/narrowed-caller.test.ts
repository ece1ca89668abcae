/** A change that takes something away from a key while a call of that key waits (ASVS 5.0 8.3.2, 15.4.2). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Deployment } from '../operations/nodes.ts';
import { assertProblem, eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';

const deployment = await Deployment.start(1);
after(() => deployment.stop());
const { server, url } = deployment.node(0);
const ada = await openSession(server);

const countWaiting = async () =>
  (
    await deployment.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
  ).length;

/** The address of the test's own client, and another one, to which the key is narrowed. */
const [anyAddress, elsewhere] = [['0.0.0.0/0', '::/0'], ['203.0.113.7']];

const changes = [
  ['loses its scope', { scopes: null }, 'insufficient_scope'],
  ['may not be used from there anymore', { allowedAddresses: elsewhere }, 'ip_not_allowed'],
  ['is disabled', { disabled: true }, 'disabled_key'],
] as const;

for (const [how, change, code] of changes) {
  test(`a key that ${how} while its call waits creates, rotates and changes no key`, async () => {
    const policy = { scopes: ['keys:write'], allowedAddresses: anyAddress };
    const caller = await ada.createKey({ name: 'caller', ...policy });
    const target = await ada.createKey({ name: 'target', allowedAddresses: elsewhere });
    const path = `/v1/api-keys/${target.key.id}`;
    const send = (method: string, at: string, body: unknown) =>
      call(`${url}${at}`, { method, headers: bearer(caller.apiKey), body });
    const { responses } = await deployment.whileWorkspacesLocked(async () => {
      const sent = Promise.all([
        send('POST', '/v1/api-keys', { name: 'child', allowedAddresses: elsewhere }),
        send('POST', `${path}/rotate`, { graceSeconds: 0 }),
        send('PATCH', path, { name: 'renamed' }),
      ]);
      // They were authenticated, and wait for the row of the workspace.
      await eventually(countWaiting, (count) => count >= 3);
      const changed = await ada.call('PATCH', `/v1/api-keys/${caller.key.id}`, change);
      assert.equal(changed.status, 200, changed.text);
      return { responses: sent };
    });
    for (const response of await responses) assertProblem(response, code);
    const { body } = await ada.call('GET', `/v1/api-keys?status=all&createdBy=${caller.key.id}`);
    assert.deepEqual(body, { data: [], nextCursor: null });
    const shown = await ada.call('GET', path);
    assert.deepEqual(shown.body, target.key);
  });
}
