/** The policy that disables idle keys, on several nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { auditPageSchema } from '@soku/contract/audit';
import { errorSchema } from '@soku/contract/errors';
import { keySchema } from '@soku/contract/keys';
import { inDatabaseOf } from '../support/in-database.ts';
import { day } from '../support/key-calls.ts';
import { bearer, call } from '../support/person.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedNodes } from './shared-cluster.ts';

test('a key that one node finds idle is disabled on all of them, once', async () => {
  const [first, , last] = await sharedNodes();
  const ada = await openSession(first.server, await addAccount(first.server));
  const [idle, used] = [await ada.createKey({ name: 'idle' }), await ada.createKey({ name: 'used' })];
  assert.equal((await ada.call('PATCH', '/v1/workspace', { maxKeyIdleDays: 30 })).status, 200);
  const ago = (days: number) => Date.now() - days * day;
  const change = (statement: string, ...values: (string | number)[]) =>
    inDatabaseOf(first.server, `${statement} RETURNING 1`, ...values);
  const watched = [ago(60), ago(60), ago(0)];
  await change(
    'UPDATE usage_history SET complete_since = ?, watched_since = ?, watched_until = ?',
    ...watched,
  );
  // Before the warnings exist, because a node that looks for idle keys meanwhile must not disable it.
  const statusOf = async (url: string, apiKey: string) =>
    (await call(`${url}/v1/verify`, { headers: bearer(apiKey) })).status;
  for (const { url } of await sharedNodes()) assert.equal(await statusOf(url, used.apiKey), 204);
  for (const { id } of [idle.key, used.key]) {
    await change('UPDATE api_key SET created_at = ? WHERE id = ?', ago(40), id);
    await change(
      'INSERT INTO idle_warning (key_id, idle_since, days, first_at, last_at) SELECT id, created_at, 30, ?, ? FROM api_key WHERE id = ?',
      ago(14),
      ago(3),
      id,
    );
  }
  // A node looks for idle keys some seconds after its start. The others have done so.
  await last.kill();
  await last.restart();
  // Until then, no request has the key, because it would be a use.
  const isDisabled = async () => {
    const { body } = await ada.call('GET', `/v1/api-keys/${idle.key.id}`);
    return keySchema.parse(body).status === 'disabled';
  };
  const end = Date.now() + 60_000;
  while (!(await isDisabled())) {
    assert.ok(Date.now() < end, 'no node has disabled it');
    await pause(50);
  }
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
