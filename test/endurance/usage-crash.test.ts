/** What is counted survives the end of the process: all of it when it ends by itself, the written part after kill -9. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Key } from '@soku/contract/keys';
import { type Usage, usageSchema } from '@soku/contract/usage';
import { inDatabase, whileLocked } from '../support/in-database.ts';
import { patience } from '../support/patience.ts';
import { bearer, call, Person } from '../support/person.ts';
import { newDataDir, onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const dataDir = newDataDir();
after(() => rmSync(dataDir, { recursive: true, force: true }));
/** More than a flush writes in one transaction. */
const keys = 40;

async function usageOf(person: Person, id: string): Promise<Usage> {
  const answer = await person.call('GET', `/v1/api-keys/${id}/usage`);
  assert.equal(answer.status, 200, answer.text);
  return usageSchema.parse(answer.body);
}

/** Uses each key so many times, and so many times for something that it has no scope for; every answer is awaited. */
async function use(server: TestServer, apiKeys: readonly string[], accepted: number, refused: number) {
  for (const apiKey of apiKeys) {
    for (let i = 0; i < accepted; i++) {
      assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 204);
    }
    for (let i = 0; i < refused; i++) {
      assert.equal((await call(`${server.url}/v1/api-keys`, { headers: bearer(apiKey) })).status, 403);
    }
  }
}

/** Resolves when the database has so many uses. */
async function written(wanted: number): Promise<void> {
  const sum = 'SELECT coalesce(sum(accepted + refused), 0) AS uses FROM usage_hour';
  const deadline = performance.now() + patience;
  for (;;) {
    const uses = Number((await inDatabase({ dataDir }, sum))[0]?.uses);
    if (uses === wanted) return;
    assert.ok(performance.now() < deadline, `${uses} of ${wanted} uses were written`);
    await pause(20);
  }
}

test('a stop writes every use, and kill -9 loses none that was written, nor counts one twice', {
  timeout: patience,
}, async () => {
  let server = await startServer({ dataDir, env: onePublicUrl });
  try {
    const { cookie } = await openSession(server);
    const made: { apiKey: string; key: Key }[] = [];
    for (let i = 0; i < keys; i++) {
      made.push(await new Person(server.url, cookie).makeKey({ name: `key ${i}` }));
    }
    const apiKeys = made.map(({ apiKey }) => apiKey);
    /** Fails unless every key was used just so often, or at most so much more often. */
    const assertUsed = async (accepted: number, refused: number, more = 0) => {
      for (const { key } of made) {
        const usage = await usageOf(new Person(server.url, cookie), key.id);
        assert.ok(
          accepted <= usage.accepted && usage.accepted <= accepted + more,
          `${usage.accepted} accepted`,
        );
        assert.ok(refused <= usage.refused && usage.refused <= refused + more, `${usage.refused} refused`);
        assert.equal(usage.lastUsed === null, accepted === 0);
      }
    };

    await use(server, apiKeys, 3, 1);
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(3, 1);

    await use(server, apiKeys, 2, 1);
    await written(keys * 7);
    await use(server, apiKeys, 0, 1);
    await written(keys * 8);
    await server.kill('SIGKILL');
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(5, 3);

    // Killed at once, most of these are lost; what was written of them counts once.
    await use(server, apiKeys, 1, 1);
    await server.kill('SIGKILL');
    server = await startServer({ dataDir, env: onePublicUrl });
    await assertUsed(5, 3, 1);

    // And counting goes on from there.
    const before = await Promise.all(made.map(({ key }) => usageOf(new Person(server.url, cookie), key.id)));
    await use(server, apiKeys, 1, 0);
    await server.kill('SIGTERM');
    server = await startServer({ dataDir, env: onePublicUrl });
    for (const [i, { key }] of made.entries()) {
      const { accepted } = await usageOf(new Person(server.url, cookie), key.id);
      assert.equal(accepted, (before[i]?.accepted ?? 0) + 1);
    }
  } finally {
    await server.kill();
  }
});

test('while another program has the database locked, uses are counted on, and written afterwards', {
  timeout: patience,
}, async () => {
  const server = await startServer({ dataDir, env: onePublicUrl });
  const stored = async (id: string) => {
    const sums = 'SELECT sum(accepted) AS accepted, sum(refused) AS refused FROM usage_hour WHERE key_id = ?';
    const [row] = await inDatabase(server, sums, id);
    return [row?.accepted, row?.refused].map((sum) => (sum === null ? null : Number(sum)));
  };
  try {
    const person = await openSession(server);
    const { apiKey, key } = await person.makeKey({ name: 'locked out' });
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
