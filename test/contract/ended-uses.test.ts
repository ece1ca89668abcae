/** The audit log says that a revoked key, or a retired secret, is still in use. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema } from '@soku/contract/keys';
import { Contract } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { fillDataDir, newDataDir, onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

test('each key whose ended secret is used has one event per day', async (t) => {
  const dataDir = newDataDir();
  await fillDataDir(dataDir);
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  let server = await startServer({ dataDir, env: onePublicUrl });
  t.after(() => server.kill());
  const { cookie } = await openSession(server);
  const person = () => new Person(server.url, cookie);

  const revoked = await person().createKey({ name: 'revoked' });
  const rotated = await person().createKey({ name: 'rotated' });
  const active = await person().createKey({ name: 'active' });
  const response = await person().call('POST', `/v1/api-keys/${rotated.key.id}/rotate`, { graceSeconds: 0 });
  const { key } = createdKeySchema.parse(response.body);
  await person().revoke(revoked.key.id);
  const use = async (on: TestServer, apiKey: string) =>
    (await call(`${on.url}/v1/verify`, { headers: bearer(apiKey) })).status;
  const day = Math.floor(Date.now() / 86_400_000);
  for (let i = 0; i < 3; i++) {
    assert.equal(await use(server, revoked.apiKey), 401);
    assert.equal(await use(server, rotated.apiKey), 401);
    assert.equal(await use(server, active.apiKey), 204);
  }

  const events = async () => {
    const contract = await Contract.of(server);
    const { body } = await contract.call('GET', '/v1/audit?action=key.ended_secret_used', { as: person() });
    const { data } = auditPageSchema.parse(body);
    return data.map(({ actor, target, details }) => [actor.kind, target.name, details]);
  };
  // A stop writes the usage, and so the events.
  await server.stop();
  server = await startServer({ dataDir, env: onePublicUrl });
  const secretOf = (secrets: readonly { id: string }[]) => secrets.at(-1)?.id;
  const expected = [
    [revoked.key.name, secretOf(revoked.key.secrets)],
    [rotated.key.name, secretOf(key.secrets)],
  ].map(([name, secretId]) => ['system', name, { code: 'revoked_key', requests: 3, secretId }]);
  const byName = (a: unknown[], b: unknown[]) => (String(a[1]) < String(b[1]) ? -1 : 1);
  assert.deepEqual((await events()).sort(byName), expected);

  assert.equal(await use(server, revoked.apiKey), 401);
  await server.stop();
  server = await startServer({ dataDir, env: onePublicUrl });
  const { length } = await events();
  // After midnight, the last use has an event of its own.
  assert.ok(length === 2 || Math.floor(Date.now() / 86_400_000) > day, `${length} events`);
});
