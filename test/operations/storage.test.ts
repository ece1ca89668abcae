/** A server with SQLite on a failing disk: nothing is lost or partially written, and the operator learns the cause. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type BadDisk, failingDisk, fullDisk } from '../support/bad-disk.ts';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

process.env.SOKU_TEST_DATABASE = 'sqlite';

/** ms in which the server logs an outage at most once. */
const outageInterval = 10_000;

const unreadySchema = z.object({ reason: z.string(), message: z.string() });

async function start(t: TestContext, dataDir?: string) {
  const server = await startServer({ ...(dataDir === undefined ? {} : { dataDir }), unprivileged: true });
  t.after(() => server.stop());
  const contract = await Contract.of(server);
  const ready = () => contract.call('GET', '/readyz');
  return { server, contract, ready, ada: await openSession(server) };
}

/** Number of log lines with this text. */
function logged({ output }: TestServer, text: string): number {
  return output.split('\n').filter((line) => line.includes(text)).length;
}

async function assertNothingLost(t: TestContext, disk: BadDisk): Promise<void> {
  t.after(() => disk.remove());
  const { server, contract, ready, ada } = await start(t, disk.dataDir);
  const { apiKey, key } = await ada.createKey({ name: 'before' });
  const use = () => contract.call('GET', '/v1/verify', { key: apiKey });
  assert.deepEqual([(await use()).status, (await ready()).status], [204, 200]);

  disk.fail(server);
  const failing = performance.now();
  for (const name of ['a', 'b', 'c', 'd']) {
    const response = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name } });
    const { message } = assertProblem(response, 'storage_unavailable');
    assert.match(message, /Free some space\. Nothing was changed|Check the disk and the log\./);
    assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }
  const revoke = () => contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada });
  assertProblem(await revoke(), 'storage_unavailable');
  assert.equal((await use()).status, 204, 'a key that was not revoked is accepted');
  assertProblem(await ada.call('POST', '/api/auth/sign-out'), 'storage_unavailable');
  const unready = await ready();
  const { reason, message } = unreadySchema.parse(unready.body);
  assert.deepEqual([unready.status, reason], [503, disk.reason]);
  assert.ok(!message.includes('/'), `${message} names no path`);
  await server.printed('"the storage is unavailable"');
  const lines = logged(server, '"the storage is unavailable"');
  const most = 1 + Math.floor((performance.now() - failing) / outageInterval);
  assert.ok(lines <= most, `${lines} log lines, at most ${most} expected: ${server.output}`);
  assert.equal(logged(server, 'cannot rollback'), 0, server.output);

  disk.repair(server);
  await eventually(ready, ({ status }) => status === 200);
  assert.equal((await revoke()).status, 200);
  assertProblem(await use(), 'revoked_key');
  const page = await contract.call('GET', '/v1/api-keys?status=all', { as: ada });
  const { data } = z.object({ data: z.array(z.object({ name: z.string() })) }).parse(page.body);
  assert.deepEqual(data, [{ name: 'before' }], 'failed creations left no rows');
}

test('a full disk: no change is made or acknowledged, and everything works again when there is space', async (t) => {
  const disk = fullDisk();
  // SQLite's own error is also tested where nothing can be mounted (database/storage-health.test.ts).
  if (disk === undefined)
    t.diagnostic('This process cannot mount a disk; another way of failing is used instead.');
  await assertNothingLost(t, disk ?? failingDisk());
});

test('a failing disk: no change is made or acknowledged, and everything works again afterwards', async (t) => {
  await assertNothingLost(t, failingDisk());
});

test('a data directory that becomes read-only makes the server not ready until it is writable', async (t) => {
  const { server, ready } = await start(t);
  chmodSync(server.dataDir, 0o500);
  const unready = await eventually(ready, ({ status }) => status === 503);
  assert.equal(unreadySchema.parse(unready.body).reason, 'storage_read_only');
  chmodSync(server.dataDir, 0o700);
  await eventually(ready, ({ status }) => status === 200);
});
