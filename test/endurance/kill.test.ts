import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { times } from '../support/long.ts';
import { Person } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { newDataDir, onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { assertNothingHalf, Ledger } from './ledger.ts';

/** Of those on PostgreSQL little depends on this process: what it has committed, PostgreSQL keeps. */
const rounds = times(process.env.SOKU_TEST_DATABASE === 'postgres' ? 1 : 2, 20);
/** Clients at work at the same time. */
const clients = 8;
/** Commands in all, those in the middle of which the server was killed included. */
const fewestCommands = times(process.env.SOKU_TEST_DATABASE === 'postgres' ? 40 : 80, 1000);
/** Commands that are answered in a round. */
const fewestAnswered = Math.ceil(fewestCommands / rounds) - clients;

test('what was answered before kill -9 is there afterwards, and nothing is half there', async (t) => {
  const random = new Random(process.env.SOKU_KILL_SEED);
  t.diagnostic(`SOKU_KILL_SEED=${random.seed}`);
  const dataDir = newDataDir();
  const ledger = new Ledger(random);
  let server = await startServer({ dataDir, env: onePublicUrl });
  try {
    const { cookie } = await openSession(server);
    for (let round = 0; round < rounds; round++) {
      await killAtWork(server, cookie, ledger, random.int(fewestAnswered, fewestAnswered + 20));
      server = await startServer({ dataDir, env: onePublicUrl });
      // Before the checks below: they retry what was lost, and so mend it.
      await assertNothingHalf(dataDir);
      await ledger.check(server.url, new Person(server.url, cookie));
    }
    const commands = ledger.answered + rounds * clients;
    t.diagnostic(`${commands} commands`);
    assert.ok(commands >= fewestCommands);
  } finally {
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** Lets the clients work, and kills the server when so many more calls were answered: others are under way then. */
async function killAtWork(server: TestServer, cookie: string, ledger: Ledger, calls: number): Promise<void> {
  const enough = ledger.answered + calls;
  const person = new Person(server.url, cookie);
  const lost = ledger.lost;
  const working = Promise.all(Array.from({ length: clients }, () => ledger.work(person)));
  await Promise.race([working, reached(ledger, enough)]);
  await server.kill('SIGKILL');
  await working;
  assert.equal(ledger.lost - lost, clients, 'every client was in the middle of a call');
}

/** Resolves when so many calls were answered. */
async function reached(ledger: Ledger, answered: number): Promise<void> {
  while (ledger.answered < answered) await pause(1);
}
