/**
 * Runs races of revoke-race.test.ts, and fails if their history has a violation. It runs in a separate process because
 * the test runner tracks every promise, which makes it much slower.
 *
 *   node revoke-race-run.ts NAME...
 */
import assert from 'node:assert/strict';
import { runCount } from '../support/run-count.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { findViolations } from './history.ts';
import { Race } from './race.ts';

/** Number of uses of a key before it is revoked: by then it is cached, and more uses are in progress. */
const usesBefore = 3;

/** Enough rounds that most runs detect an eviction that is one turn of the event loop too late. */
const rounds = runCount(12, 500);

const allRevoked = Array.from({ length: 4 }, () => 'revoked_key');

interface RaceKind {
  /** Number of keys in use in addition to the one under test. */
  bystanders: number;
  run(race: Race): Promise<void>;
}

const races: Record<string, RaceKind> = {
  often: {
    bystanders: 2,
    run: async (traffic) => {
      let key = await traffic.create();
      for (let round = 0; round < rounds; round++) {
        const [next] = await Promise.all([traffic.create(), traffic.useRepeatedly(key, usesBefore)]);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}`);
        key = next;
      }
    },
  },
  renamed: {
    bystanders: 5,
    run: async (traffic) => {
      for (let round = 0; round < rounds / 3; round++) {
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
    },
  },
  toggled: { bystanders: 2, run: runToggled },
  // More keys than the cache holds.
  evicted: {
    bystanders: 40,
    run: async (traffic) => {
      for (let round = 0; round < rounds / 2; round++) {
        const key = await traffic.create();
        await traffic.useRepeatedly(key, usesBefore);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), allRevoked, `round ${round}`);
      }
    },
  },
};

/** Disables and enables a key, or takes away its scope and gives it back, again and again. */
async function runToggled(traffic: Race): Promise<void> {
  const key = await traffic.create();
  for (let round = 0; round < rounds; round++) {
    const isOn = round % 2 === 0;
    await traffic.useRepeatedly(key, usesBefore);
    if (round % 4 < 2) {
      const disabled = isOn;
      await traffic.change(key, { disabled }, (history, at) => history.key.isDisabled.change(disabled, at));
    } else {
      const scopes = isOn ? [] : ['keys:read'];
      await traffic.change(key, { scopes }, (history, at) => history.key.scopes.change(scopes, at));
    }
    // The history judges the results.
    await traffic.probe(key);
  }
}

/** Runs a race with traffic on all connections, and then checks the whole history. */
async function runRace(name: string, server: TestServer, manager: string): Promise<void> {
  const race = races[name];
  assert.ok(race !== undefined, `unknown race: ${name}`);
  const traffic = new Race(server.url, manager);
  await traffic.start(race.bystanders);
  try {
    await race.run(traffic);
  } finally {
    await traffic.stop();
  }
  assert.deepEqual(findViolations(traffic.history), [], name);
  assert.ok(traffic.history.some((operation) => operation.kind === 'use' && operation.errorCode === null));
}

const server = await startServer({ env: { SOKU_CACHE_KEYS: '10' } });
try {
  const ada = await openSession(server);
  const { apiKey } = await ada.createKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
  for (const name of process.argv.slice(2)) await runRace(name, server, apiKey);
} finally {
  await server.stop();
}
