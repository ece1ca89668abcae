/** A revoked key stays revoked even if someone removes the lock and two processes use one data directory. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { assertProblem, eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { expectStartFailure } from '../support/start-failure.ts';

process.env.SOKU_TEST_DATABASE = 'sqlite';

const reasonSchema = z.object({ reason: z.string() });

/** A server with two keys, the first of which is cached. */
async function setUp(t: TestContext) {
  const first = await startServer({ env: onePublicUrl });
  const servers = [first];
  t.after(async () => {
    // Kill them, because a server that lost its directory keeps trying to write to it for a while.
    for (const server of servers) await server.kill();
    await first.stop();
  });
  const ada = await openSession(first);
  const { apiKey, key } = await ada.createKey({ name: 'to revoke' });
  const kept = await ada.createKey({ name: 'kept' });
  assert.equal((await verify(first, apiKey)).status, 204);
  /** Starts a second server after `unlock` has moved the lock away, and revokes the first key there. */
  const takeOver = async (unlock: (lock: string) => void) => {
    unlock(join(first.dataDir, 'lock'));
    const second = await startServer({ dataDir: first.dataDir, env: onePublicUrl });
    servers.push(second);
    await new Person(second.url, ada.cookie).revoke(key.id);
    return second;
  };
  return { first, ada, apiKey, kept, takeOver };
}

const verify = ({ url }: TestServer, apiKey: string) => call(`${url}/v1/verify`, { headers: bearer(apiKey) });

test('after a second server has taken over, the first accepts no revoked key and makes no changes', async (t) => {
  const { first, ada, apiKey, kept, takeOver } = await setUp(t);
  const second = await takeOver(rmSync);
  assertProblem(await verify(first, apiKey), 'verification_unavailable');
  assertProblem(await verify(first, kept.apiKey), 'verification_unavailable');
  assertProblem(await verify(second, apiKey), 'revoked_key');
  assert.equal((await verify(second, kept.apiKey)).status, 204);
  const attempts: [string, string, unknown?][] = [
    ['POST', `/v1/api-keys/${kept.key.id}/revoke`],
    ['PATCH', `/v1/api-keys/${kept.key.id}`, { name: 'renamed' }],
    ['POST', '/v1/api-keys', { name: 'lost' }],
    ['GET', '/v1/api-keys'],
  ];
  for (const [method, path, body] of attempts) {
    const { message } = assertProblem(await ada.call(method, path, body), 'storage_unavailable');
    assert.match(message, /data directory was removed or replaced. Restart the server. Nothing was changed/);
  }
  assert.equal(first.output.match(/All keys and changes are rejected until/g)?.length, 1, first.output);
});

test('a server that was frozen during a takeover accepts no key from its cache when it resumes', async (t) => {
  const { first, apiKey, kept, takeOver } = await setUp(t);
  process.kill(first.pid, 'SIGSTOP');
  await takeOver(rmSync);
  // The requests wait in the socket, and the server reads them before any of its timers runs.
  const responses = [apiKey, kept.apiKey, apiKey].map((sent) => verify(first, sent));
  process.kill(first.pid, 'SIGCONT');
  for (const response of await Promise.all(responses)) assertProblem(response, 'verification_unavailable');
});

test('a server whose lock was moved away and back accepts no key that another server revoked in the meantime', async (t) => {
  const { first, apiKey, kept, takeOver } = await setUp(t);
  const lock = join(first.dataDir, 'lock');
  const second = await takeOver(() => renameSync(lock, `${lock}.away`));
  assert.equal((await verify(second, kept.apiKey)).status, 204);
  renameSync(`${lock}.away`, lock);
  await eventually(
    () => verify(first, kept.apiKey),
    ({ status }) => status === 204,
  );
  assertProblem(await verify(first, apiKey), 'revoked_key');
  await eventually(
    () => verify(second, kept.apiKey),
    ({ status }) => status === 503,
  );
});

test('a server rejects keys and changes while its files are missing, and recovers when they are back', async (t) => {
  const { first, ada, apiKey } = await setUp(t);
  const lock = join(first.dataDir, 'lock');
  assert.equal(statSync(lock).mode & 0o777, 0o600);
  const away = `${first.dataDir}.away`;
  t.after(() => rmSync(away, { recursive: true, force: true }));
  const names = ['lock', 'soku.db', 'soku.db-wal', 'soku.db-shm', '.'];
  for (const name of names) {
    const path = join(first.dataDir, name);
    renameSync(path, away);
    // Immediately, so that no key is created that would be lost with these files.
    const created = await ada.call('POST', '/v1/api-keys', { name: 'lost' });
    assertProblem(created, 'storage_unavailable');
    assertProblem(await verify(first, apiKey), 'verification_unavailable');
    const { status, body } = await call(`${first.url}/readyz`);
    assert.deepEqual([status, reasonSchema.parse(body).reason], [503, 'data_directory_lost']);
    renameSync(away, path);
    await eventually(
      () => verify(first, apiKey),
      ({ status }) => status === 204,
    );
  }
  assert.equal((await ada.call('POST', '/v1/api-keys', { name: 'created' })).status, 201);
  assert.equal((await call(`${first.url}/readyz`)).status, 200);

  // A read-only lock still keeps a second server out.
  chmodSync(lock, 0o400);
  await expectStartFailure(73, { dataDir: first.dataDir, unprivileged: true });
  assert.equal((await verify(first, apiKey)).status, 204);
  assert.match(readFileSync(`${lock}.owner`, 'utf8'), new RegExp(`^${first.pid}\n`));
});
