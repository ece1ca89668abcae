/** Two processes on one data directory, because somebody removed what keeps them apart: a revoked key stays revoked. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { assertProblem, eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { failStart } from '../support/start.ts';

process.env.SOKU_TEST_DATABASE = 'sqlite';

const reasonSchema = z.object({ reason: z.string() });

/** A server with two keys, of which it has cached the first. */
async function scene(t: TestContext) {
  const first = await startServer({ env: onePublicUrl });
  const servers = [first];
  t.after(async () => {
    // By force: one that lost its directory tries for some time to write into it.
    for (const server of servers) await server.kill();
    await first.stop();
  });
  const ada = await openSession(first);
  const { apiKey, key } = await ada.makeKey({ name: 'to revoke' });
  const kept = await ada.makeKey({ name: 'kept' });
  assert.equal((await verify(first, apiKey)).status, 204);
  /** Starts a second server once `unlock` has moved the lock out of its way, and revokes the first key there. */
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

test('a key that a second server revoked is not accepted by the first, which changes nothing either', async (t) => {
  const { first, ada, apiKey, kept, takeOver } = await scene(t);
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

test('a server that was stopped while a second one took over answers nothing from its cache', async (t) => {
  const { first, apiKey, kept, takeOver } = await scene(t);
  process.kill(first.pid, 'SIGSTOP');
  await takeOver(rmSync);
  // They wait in its socket, and it reads them before any of its timers runs.
  const answers = [apiKey, kept.apiKey, apiKey].map((sent) => verify(first, sent));
  process.kill(first.pid, 'SIGCONT');
  for (const answer of await Promise.all(answers)) assertProblem(answer, 'verification_unavailable');
});

test('a server whose lock was moved away and back accepts no key that another one revoked meanwhile', async (t) => {
  const { first, apiKey, kept, takeOver } = await scene(t);
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

test('without its files a server accepts no key and acknowledges no change, and serves on when they are back', async (t) => {
  const { first, ada, apiKey } = await scene(t);
  const lock = join(first.dataDir, 'lock');
  assert.equal(statSync(lock).mode & 0o777, 0o600);
  const away = `${first.dataDir}.away`;
  t.after(() => rmSync(away, { recursive: true, force: true }));
  const names = ['lock', 'soku.db', 'soku.db-wal', 'soku.db-shm', '.'];
  for (const name of names) {
    const path = join(first.dataDir, name);
    renameSync(path, away);
    // At once: no key is made that is lost with these files.
    const made = await ada.call('POST', '/v1/api-keys', { name: 'lost' });
    assertProblem(made, 'storage_unavailable');
    assertProblem(await verify(first, apiKey), 'verification_unavailable');
    const { status, body } = await call(`${first.url}/readyz`);
    assert.deepEqual([status, reasonSchema.parse(body).reason], [503, 'data_directory_lost']);
    renameSync(away, path);
    await eventually(
      () => verify(first, apiKey),
      ({ status }) => status === 204,
    );
  }
  assert.equal((await ada.call('POST', '/v1/api-keys', { name: 'made' })).status, 201);
  assert.equal((await call(`${first.url}/readyz`)).status, 200);

  // A lock that was made read-only keeps a second server out as before.
  chmodSync(lock, 0o400);
  await failStart(73, { dataDir: first.dataDir, unprivileged: true });
  assert.equal((await verify(first, apiKey)).status, 204);
  assert.match(readFileSync(`${lock}.owner`, 'utf8'), new RegExp(`^${first.pid}\n`));
});
