/** The policy that disables idle keys, on several nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { auditPageSchema } from '@soku/contract/audit';
import { errorSchema } from '@soku/contract/errors';
import { keySchema } from '@soku/contract/keys';
import pg from 'pg';
import { type ChangeRows, daysAgo, warnTwice } from '../support/idle-warnings.ts';
import { bearer, call } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import type { ClusterNode } from '../torture/cluster.ts';
import { sharedNodes } from './shared-cluster.ts';

/** Makes keys look unused for 40 days, with both warnings of a policy of 30 days, whose time is over. */
async function makeIdle(change: ChangeRows, ids: readonly string[]): Promise<void> {
  await change(
    'UPDATE usage_history SET complete_since = ?, watched_since = ?, watched_until = ?',
    daysAgo(60),
    daysAgo(60),
    daysAgo(0),
  );
  for (const id of ids) {
    await change('UPDATE api_key SET created_at = ? WHERE id = ?', daysAgo(40), id);
    await warnTwice(change, id);
  }
}

/** On a busy machine, a start and its search take more than a minute. */
async function waitFor(condition: () => Promise<boolean>, problem: () => string): Promise<void> {
  const end = Date.now() + 180_000;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(problem());
    await pause(200);
  }
}

const outputOf = (nodes: readonly ClusterNode[]) => nodes.map(({ server }) => server.output).join('\n');

test('a key that one node finds idle is disabled on all of them, once', async () => {
  const [first, , last] = await sharedNodes();
  const ada = await openSession(first.server, await addAccount(first.server));
  const [idle, used] = [await ada.createKey({ name: 'idle' }), await ada.createKey({ name: 'used' })];
  assert.equal((await ada.call('PATCH', '/v1/workspace', { maxKeyIdleDays: 30 })).status, 200);
  const change = (statement: string, ...values: (string | number)[]) =>
    runSqlOn(first.server, statement, ...values);
  // Before the warnings exist, because a node that looks for idle keys meanwhile must not disable it.
  const statusOf = async (url: string, apiKey: string) =>
    (await call(`${url}/v1/verify`, { headers: bearer(apiKey) })).status;
  for (const { url } of await sharedNodes()) assert.equal(await statusOf(url, used.apiKey), 204);
  await makeIdle(change, [idle.key.id, used.key.id]);
  // A node looks for idle keys some seconds after its start. The others have done so.
  await last.kill();
  await last.restart();
  // Until then, no request has the key, because it would be a use.
  const isDisabled = async () => {
    const { body } = await ada.call('GET', `/v1/api-keys/${idle.key.id}`);
    return keySchema.parse(body).status === 'disabled';
  };
  await waitFor(isDisabled, () => `no node has disabled it: ${outputOf([last])}`);
  for (const { url } of await sharedNodes()) {
    const rejected = await call(`${url}/v1/me`, { headers: bearer(idle.apiKey) });
    assert.equal(errorSchema.parse(rejected.body).error.code, 'disabled_key');
    assert.equal(await statusOf(url, used.apiKey), 204);
  }
  const { body } = await ada.call('GET', `/v1/audit?targetId=${idle.key.id}&actorId=system`);
  const { data } = auditPageSchema.parse(body);
  assert.deepEqual(
    data.map(({ action, changes }) => [action, changes]),
    [['key.updated', { disabled: { from: false, to: true } }]],
  );
});

const isLong = runCount(0, 1) === 1;

test('a key in use on a node that cannot write its usage is not disabled', {
  skip: isLong ? false : 'waits for several writes and searches: SOKU_TEST_LONG=yes',
}, async () => {
  const nodes = await sharedNodes();
  const [first, second, last] = nodes;
  const ada = await openSession(first.server, await addAccount(first.server));
  const [idle, used] = [await ada.createKey({ name: 'idle' }), await ada.createKey({ name: 'used' })];
  const change = (statement: string, ...values: (string | number)[]) =>
    runSqlOn(first.server, statement, ...values);
  const locking = new pg.Client(first.server.env.DATABASE_URL);
  await locking.connect();
  const unknown = 'SELECT name FROM verifier_node WHERE usage_written_at IS NULL';
  try {
    await locking.query('BEGIN; LOCK TABLE usage_hour IN EXCLUSIVE MODE');
    assert.equal((await call(`${second.url}/v1/verify`, { headers: bearer(used.apiKey) })).status, 204);
    assert.equal((await ada.call('PATCH', '/v1/workspace', { maxKeyIdleDays: 30 })).status, 200);
    await waitFor(
      async () => (await change(unknown)).length === 1,
      () => 'the node does not report the failure',
    );
    await makeIdle(change, [idle.key.id, used.key.id]);
    await last.kill();
    await last.restart();
    await last.server.printed('neither warned about nor disabled');
  } finally {
    await locking.end();
  }
  const statusOf = async ({ key }: { key: { id: string } }) =>
    keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body).status;
  assert.deepEqual([await statusOf(idle), await statusOf(used)], ['active', 'active']);
  await waitFor(
    async () => (await change(unknown)).length === 0,
    () => 'the node does not report that it writes',
  );
  await last.kill();
  await last.restart();
  await waitFor(
    async () => (await statusOf(idle)) === 'disabled',
    () => `not disabled: ${outputOf(nodes)}`,
  );
  assert.equal(await statusOf(used), 'active', 'its use is known now');
});
