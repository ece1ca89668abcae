/**
 * Runs races of revoke-race.test.ts, and fails when something in their history is not as it must be. A process of
 * its own, because the tests' runner follows every promise, which makes all of this much slower.
 *
 *   node revoke-race-run.ts NAME...
 */
import assert from 'node:assert/strict';
import { times } from '../support/long.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { findViolations } from './history.ts';
import { Race } from './race.ts';

/** Uses of a key that must have been answered before it is revoked: it is then cached, and more are under way. */
const usesBefore = 3;

/** Enough for a change that is a turn too late, or remembered a turn too long, to be seen in most runs. */
const rounds = times(12, 500);

const dead = Array.from({ length: 4 }, () => 'revoked_key');

interface RaceKind {
  /** Keys in use beside the one under test. */
  bystanders: number;
  run(race: Race): Promise<void>;
}

const races: Record<string, RaceKind> = {
  often: {
    bystanders: 2,
    run: async (traffic) => {
      let key = await traffic.create();
      for (let round = 0; round < rounds; round++) {
        const [next] = await Promise.all([traffic.create(), traffic.useMuch(key, usesBefore)]);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
        key = next;
      }
    },
  },
  renamed: {
    bystanders: 5,
    run: async (traffic) => {
      for (let round = 0; round < rounds / 3; round++) {
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
    },
  },
  // More keys than the cache holds.
  evicted: {
    bystanders: 40,
    run: async (traffic) => {
      for (let round = 0; round < rounds / 2; round++) {
        const key = await traffic.create();
        await traffic.useMuch(key, usesBefore);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
      }
    },
  },
};

/** Runs a race with traffic on all connections, and then checks everything that was seen. */
async function runRace(name: string, server: TestServer, manager: string): Promise<void> {
  const race = races[name];
  assert.ok(race !== undefined, `there is no race ${name}`);
  const traffic = new Race(server.url, manager);
  await traffic.start(race.bystanders);
  try {
    await race.run(traffic);
  } finally {
    await traffic.stop();
  }
  assert.deepEqual(findViolations(traffic.history), [], name);
  assert.ok(traffic.history.some((operation) => operation.kind === 'use' && operation.refused === null));
}

const server = await startServer({ env: { SOKU_CACHE_KEYS: '10' } });
try {
  const ada = await openSession(server);
  const { apiKey } = await ada.makeKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
  for (const name of process.argv.slice(2)) await runRace(name, server, apiKey);
} finally {
  await server.stop();
}
