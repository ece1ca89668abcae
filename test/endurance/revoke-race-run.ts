/**
 * Runs one of the races of revoke-race.test.ts, and fails if its history has a violation. It runs in a separate process
 * because the test runner tracks every promise, which makes it much slower.
 *
 *   node revoke-race-run.ts NAME [ROUNDS]
 */
import assert from 'node:assert/strict';
import { times } from '../support/long.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { findViolations } from './history.ts';
import { Race } from './race.ts';

/** Number of uses of a key before it is revoked: by then it is cached, and more uses are in progress. */
const usesBefore = 3;

/** Enough rounds that most runs detect an eviction that is one turn of the event loop too late. */
const [name = '', rounds = String(times(40, 500))] = process.argv.slice(2);

const allRevoked = Array.from({ length: 4 }, () => 'revoked_key');

/** Starts a server and traffic on all connections, and checks the whole history after the run. */
async function race(
  options: { env?: Record<string, string>; bystanders: number },
  run: (race: Race) => Promise<void>,
): Promise<void> {
  const server = await startServer({ env: options.env ?? {} });
  try {
    const ada = await openSession(server);
    const manager = await ada.makeKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
    const traffic = new Race(server.url, manager.apiKey);
    await traffic.start(options.bystanders);
    try {
      await run(traffic);
    } finally {
      await traffic.stop();
    }
    assert.deepEqual(findViolations(traffic.history), []);
    assert.ok(traffic.history.some((operation) => operation.kind === 'use' && operation.errorCode === null));
  } finally {
    await server.stop();
  }
}

const races: Record<string, () => Promise<void>> = {
  often: async () => {
    await race({ bystanders: 2 }, async (traffic) => {
      let key = await traffic.create();
      for (let round = 0; round < Number(rounds); round++) {
        const [next] = await Promise.all([traffic.create(), traffic.useRepeatedly(key, usesBefore)]);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}`);
        key = next;
      }
    });
  },
  renamed: async () => {
    await race({ bystanders: 5 }, async (traffic) => {
      for (let round = 0; round < Number(rounds) / 5; round++) {
        const key = await traffic.create();
        await traffic.useRepeatedly(key, usesBefore);
        const renamed = traffic.rename(key, `name ${round}`);
        if (round % 2 === 0) await renamed;
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}`);
        await renamed;
        await traffic.rename(key, `late name ${round}`);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}, renamed after the revoke`);
      }
    });
  },
  evicted: async () => {
    await race({ env: { SOKU_CACHE_KEYS: '10' }, bystanders: 40 }, async (traffic) => {
      for (let round = 0; round < Number(rounds) / 2; round++) {
        const key = await traffic.create();
        await traffic.useRepeatedly(key, usesBefore);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}`);
      }
    });
  },
};

const run = races[name];
assert.ok(run !== undefined, `unknown race: ${name}`);
await run();
