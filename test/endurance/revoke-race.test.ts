import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../support/server.ts';
import { findViolations } from './history.ts';
import { Race } from './race.ts';

/** Uses of a key that must have been answered before it is revoked: it is then cached, and more are under way. */
const usesBefore = 3;

const dead = Array.from({ length: 4 }, () => 'revoked_key');

/** A server of its own, traffic on all connections, and after the run the judgement on everything that was seen. */
async function race(
  options: { env?: Record<string, string>; bystanders: number },
  run: (race: Race) => Promise<void>,
): Promise<void> {
  const server = await startServer({ env: options.env ?? {} });
  try {
    const ada = await server.signIn();
    const manager = await ada.makeKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
    const traffic = new Race(server.url, manager.apiKey);
    await traffic.start(options.bystanders);
    try {
      await run(traffic);
    } finally {
      await traffic.stop();
    }
    assert.deepEqual(findViolations(traffic.history), []);
    assert.ok(traffic.history.some((operation) => operation.kind === 'use' && operation.refused === null));
  } finally {
    await server.stop();
  }
}

test('1,000 times: once a revoke was answered, no connection is served with the key (ASVS 8.3.2)', async () => {
  await race({ bystanders: 2 }, async (traffic) => {
    let key = await traffic.create();
    for (let round = 0; round < 1000; round++) {
      const [next] = await Promise.all([traffic.create(), traffic.useMuch(key, usesBefore)]);
      await traffic.revoke(key);
      assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
      key = next;
    }
  });
});

test('a rename before, during or after a revoke brings no old entry of the cache back', async () => {
  await race({ bystanders: 5 }, async (traffic) => {
    for (let round = 0; round < 40; round++) {
      const key = await traffic.create();
      await traffic.useMuch(key, usesBefore);
      const renamed = traffic.rename(key, `name ${round}`);
      if (round % 2 === 0) await renamed;
      await traffic.revoke(key);
      assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
      await renamed;
      await traffic.rename(key, `late name ${round}`);
      assert.deepEqual(await traffic.probe(key), dead, `round ${round}, renamed after the revoke`);
    }
  });
});

test('keys that the cache had to let go of, and read again, are dead at once all the same', async () => {
  await race({ env: { SOKU_CACHE_KEYS: '10' }, bystanders: 40 }, async (traffic) => {
    for (let round = 0; round < 80; round++) {
      const key = await traffic.create();
      await traffic.useMuch(key, usesBefore);
      await traffic.revoke(key);
      assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
    }
  });
});
