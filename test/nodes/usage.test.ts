/** Usage on one node is visible on the others, and counted once even when connections fail. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { keySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { type DeployedNode, Deployment } from '../operations/nodes.ts';
import { eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

const deployment = await Deployment.start(2);
after(() => deployment.stop());
const [one, other] = [deployment.node(0), deployment.node(1)];
const ada = await openSession(one.server);

async function use(node: DeployedNode, apiKey: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
    assert.equal(status, 204);
  }
}

/** The usage that the first node reports. */
async function usageOf(id: string) {
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${id}/usage`)).body);
  const { lastUsedAt } = keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body);
  return { ...usage, lastUsedAt };
}

/** Resolves when the first node reports this number of uses. */
async function waitForUses(id: string, expected: number): Promise<void> {
  const { accepted } = await eventually(
    () => usageOf(id),
    (usage) => usage.accepted >= expected,
  );
  assert.equal(accepted, expected);
}

/** A usage write of a node that waits for a lock in the database. */
const waitingWrite = `SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE usage_writer%'`;

test('usage on one node is visible on the other within seconds, and each use counts once', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'used on both' });
  await use(one, apiKey, 3);
  assert.equal((await usageOf(key.id)).accepted, 3, 'uses on this node are visible immediately');
  await use(other, apiKey, 20);
  await waitForUses(key.id, 23);
  const { lastUsedAt } = await usageOf(key.id);
  assert.ok(Date.now() - Date.parse(lastUsedAt ?? '') < 2 * testTimeoutMs, `${lastUsedAt}`);

  // The database receives the write, but the node never gets the response.
  await use(other, apiKey, 10);
  await deployment.whileLocked('usage_writer', async () => {
    await eventually(
      () => deployment.query(waitingWrite),
      (waiting) => waiting.length > 0,
    );
    other.network.toClient.hold();
  });
  await waitForUses(key.id, 33);
  other.network.cut();
  other.network.toClient.release();
  other.network.heal();
  while ((await call(`${other.url}/readyz`)).status !== 200) await pause(10);
  await use(other, apiKey, 5);
  await use(one, apiKey, 5);

  // A stop writes the remaining usage; afterwards only the database has it.
  for (const { server } of [other, one]) {
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  }
  await one.start();
  assert.equal((await usageOf(key.id)).accepted, 43);
});
