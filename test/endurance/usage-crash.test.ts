/** Usage survives the end of the process: all of it after a stop, and all that was saved after kill -9. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Key } from '@soku/contract/keys';
import { type Usage, usageSchema } from '@soku/contract/usage';
import { usageHistorySchema } from '@soku/contract/usage-history';
import { eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { runSql, whileLocked } from '../support/run-sql.ts';
import { fillDataDir, newDataDir, onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

const dataDir = newDataDir();
await fillDataDir(dataDir);
after(() => rmSync(dataDir, { recursive: true, force: true }));
const keys = 40;

async function usageOf(person: Person, id: string): Promise<Usage> {
  const response = await person.call('GET', `/v1/api-keys/${id}/usage`);
  assert.equal(response.status, 200, response.text);
  const usage = usageSchema.parse(response.body);
  // The days have what the hours have.
  const history = await person.call('GET', `/v1/api-keys/${id}/usage/history?days=2`);
  const { accepted, refused } = usageHistorySchema.parse(history.body);
  assert.deepEqual([accepted, refused], [usage.accepted, usage.refused]);
  return usage;
}

/** Uses each key, and makes calls for which it lacks the scope. Waits for each response. */
async function use(server: TestServer, apiKeys: readonly string[], accepted: number, rejected: number) {
  for (const apiKey of apiKeys) {
    for (let i = 0; i < accepted; i++) {
      assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 204);
    }
    for (let i = 0; i < rejected; i++) {
      assert.equal((await call(`${server.url}/v1/api-keys`, { headers: bearer(apiKey) })).status, 403);
    }
  }
}

/** Resolves when a crash would lose no use. */
async function whenSaved(server: TestServer): Promise<void> {
  await eventually(
    async () => (await call(`${server.url}/metrics`)).text,
    (text) => /^soku_usage_unwritten 0$/m.test(text),
  );
}

test('a stop saves every use, and kill -9 loses no saved use and counts none twice', {
  timeout: testTimeoutMs,
}, async () => {
  let server = await startServer({ dataDir, env: onePublicUrl });
  try {
    const { cookie } = await openSession(server);
    const created: { apiKey: string; key: Key }[] = [];
    for (let i = 0; i < keys; i++) {
      created.push(await new Person(server.url, cookie).createKey({ name: `key ${i}` }));
    }
    const apiKeys = created.map(({ apiKey }) => apiKey);
    /** Asserts the counts of every key, which may be higher by up to `more`. */
    const assertUsed = async (accepted: number, rejected: number, more = 0) => {
      for (const { key } of created) {
        const usage = await usageOf(new Person(server.url, cookie), key.id);
        assert.ok(
          accepted <= usage.accepted && usage.accepted <= accepted + more,
          `${usage.accepted} accepted`,
        );
        assert.ok(rejected <= usage.refused && usage.refused <= rejected + more, `${usage.refused} rejected`);
        assert.equal(usage.lastUsed === null, accepted === 0);
      }
    };

    await use(server, apiKeys, 3, 1);
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(3, 1);

    await use(server, apiKeys, 2, 1);
    await whenSaved(server);
    await use(server, apiKeys, 0, 1);
    await whenSaved(server);
    await server.kill('SIGKILL');
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(5, 3);

    // The immediate kill loses most of these uses; any that were saved count once.
    await use(server, apiKeys, 1, 1);
    await server.kill('SIGKILL');
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(5, 3, 1);

    // Counting continues from the saved counts.
    const before = await Promise.all(
      created.map(({ key }) => usageOf(new Person(server.url, cookie), key.id)),
    );
    await use(server, apiKeys, 1, 0);
    await server.kill('SIGTERM');
    server = await startServer({ dataDir, env: onePublicUrl });
    for (const [i, { key }] of created.entries()) {
      const { accepted } = await usageOf(new Person(server.url, cookie), key.id);
      assert.equal(accepted, (before[i]?.accepted ?? 0) + 1);
    }
  } finally {
    await server.kill();
  }
});

test('uses are counted while another program has locked the database, and saved afterwards', {
  timeout: testTimeoutMs,
}, async () => {
  const server = await startServer({ dataDir, env: { ...onePublicUrl, SOKU_USAGE_RETENTION_DAYS: '400' } });
  const stored = async (id: string) => {
    const sums = 'SELECT sum(accepted) AS accepted, sum(refused) AS refused FROM usage_hour WHERE key_id = ?';
    const [row] = await runSql(server, sums, id);
    return [row?.accepted, row?.refused].map((sum) => (sum === null ? null : Number(sum)));
  };
  try {
    const person = await openSession(server);
    const { apiKey, key } = await person.createKey({ name: 'locked out' });
    const history = await person.call('GET', '/v1/usage/history?days=all');
    const { retentionDays, periods } = usageHistorySchema.parse(history.body);
    assert.deepEqual([retentionDays, periods.length], [400, 400]);
    await whileLocked(server, 'usage_hour', async () => {
      await use(server, [apiKey], 3, 1);
      await server.printed('usage could not be written');
      await use(server, [apiKey], 2, 0);
      const usage = await usageOf(person, key.id);
      assert.deepEqual([usage.accepted, usage.refused], [5, 1]);
      assert.deepEqual(await stored(key.id), [null, null]);
    });
    await server.kill('SIGTERM');
    assert.deepEqual(await stored(key.id), [5, 1]);
  } finally {
    await server.kill();
  }
});
