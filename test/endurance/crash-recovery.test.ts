import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Person } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { runCount } from '../support/run-count.ts';
import { fillDataDir, newDataDir, onePublicUrl, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { assertConsistent, Ledger } from './ledger.ts';

/** Fewer on PostgreSQL, where durability depends little on this process: PostgreSQL keeps what it has committed. */
const rounds = runCount(process.env.SOKU_TEST_DATABASE === 'postgres' ? 1 : 2, 20);
/** Number of concurrent clients. */
const clients = 8;
/** Minimum number of commands in total, including those that a kill interrupted. */
const minCommands = runCount(process.env.SOKU_TEST_DATABASE === 'postgres' ? 40 : 80, 1000);
/** Minimum number of commands that return in a round. */
const minCompleted = Math.ceil(minCommands / rounds) - clients;

test('after kill -9, every command that returned is stored, and no command is stored in part', async (t) => {
  const random = new Random(process.env.SOKU_KILL_SEED);
  t.diagnostic(`SOKU_KILL_SEED=${random.seed}`);
  const dataDir = newDataDir();
  await fillDataDir(dataDir);
  const ledger = new Ledger(random);
  let server = await startServer({ dataDir, env: onePublicUrl });
  try {
    const { cookie } = await openSession(server);
    for (let round = 0; round < rounds; round++) {
      await killUnderLoad(server, cookie, ledger, random.int(minCompleted, minCompleted + 20));
      server = await startServer({ dataDir, env: onePublicUrl });
      // Before ledger.check, which retries lost commands and so would repair partial ones.
      await assertConsistent(dataDir);
      await ledger.check(server.url, new Person(server.url, cookie));
    }
    const commands = ledger.completed + rounds * clients;
    t.diagnostic(`${commands} commands`);
    assert.ok(commands >= minCommands);
  } finally {
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** Runs the clients, and kills the server after `calls` more calls have returned, while others are in progress. */
async function killUnderLoad(
  server: TestServer,
  cookie: string,
  ledger: Ledger,
  calls: number,
): Promise<void> {
  const enough = ledger.completed + calls;
  const person = new Person(server.url, cookie);
  const lost = ledger.lost;
  const working = Promise.all(Array.from({ length: clients }, () => ledger.work(person)));
  await Promise.race([working, reached(ledger, enough)]);
  await server.kill('SIGKILL');
  await working;
  assert.equal(ledger.lost - lost, clients, 'every client had a call in progress');
}

/** Resolves when this many calls have returned. */
async function reached(ledger: Ledger, completed: number): Promise<void> {
  while (ledger.completed < completed) await pause(1);
}
