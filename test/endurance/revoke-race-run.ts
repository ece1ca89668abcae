/**
 * Runs one of the races of revoke-race.test.ts, and fails when something in its history is not as it must be. A process of
 * its own, because the tests' runner follows every promise, which makes all of this much slower.
 *
 *   node revoke-race-run.ts NAME [ROUNDS]
 */
import assert from 'node:assert/strict';
import { times } from '../support/long.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { findViolations } from './history.ts';
import { Race } from './race.ts';

/** Uses of a key that must have been answered before it is revoked: it is then cached, and more are under way. */
const usesBefore = 3;

/** Enough for a change that is a turn too late, or remembered a turn too long, to be seen in most runs. */
const [name = '', rounds = String(times(40, 500))] = process.argv.slice(2);

const dead = Array.from({ length: 4 }, () => 'revoked_key');

/** A server of its own, traffic on all connections, and after the run the judgement on everything that was seen. */
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
    assert.ok(traffic.history.some((operation) => operation.kind === 'use' && operation.refused === null));
  } finally {
    await server.stop();
  }
}

const races: Record<string, () => Promise<void>> = {
  often: async () => {
    await race({ bystanders: 2 }, async (traffic) => {
      let key = await traffic.create();
      for (let round = 0; round < Number(rounds); round++) {
        const [next] = await Promise.all([traffic.create(), traffic.useMuch(key, usesBefore)]);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
        key = next;
      }
    });
  },
  renamed: async () => {
    await race({ bystanders: 5 }, async (traffic) => {
      for (let round = 0; round < Number(rounds) / 5; round++) {
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
  },
  evicted: async () => {
    await race({ env: { SOKU_CACHE_KEYS: '10' }, bystanders: 40 }, async (traffic) => {
      for (let round = 0; round < Number(rounds) / 2; round++) {
        const key = await traffic.create();
        await traffic.useMuch(key, usesBefore);
        await traffic.revoke(key);
        assert.deepEqual(await traffic.probe(key), dead, `round ${round}`);
      }
    });
  },
};

const run = races[name];
assert.ok(run !== undefined, `there is no race ${name}`);
await run();
