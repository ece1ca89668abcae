/**
 * How processes share a data directory, and what they leave in it. All data that is refused is in
 * packages/server/src/database/refused-data.test.ts; here one of each kind stops a real process.
 */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { bearer, call } from '../support/person.ts';
import { freePort, newDataDir, onePublicUrl, spawnServer, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { directoryContents, failStart } from '../support/start.ts';

// Also in a run on PostgreSQL: what a data directory has to hold it has only without one.
process.env.SOKU_TEST_DATABASE = 'sqlite';

const root = newDataDir();
after(() => rmSync(root, { recursive: true, force: true }));

/** A directory with an account and a key in it, at rest. */
const original = join(root, 'original');
const first = await startServer({ dataDir: original, env: onePublicUrl });
const ada = await openSession(first);
const { apiKey } = await ada.makeKey({ name: 'kept' });
await first.stop();

let copies = 0;
/** A copy of it to be damaged. */
function copy(): { dataDir: string; file: string } {
  copies += 1;
  const dataDir = join(root, `copy ${copies}`);
  cpSync(original, dataDir, { recursive: true });
  return { dataDir, file: join(dataDir, 'soku.db') };
}

test('a server at rest leaves one database, one secret, and nothing that others can read', () => {
  assert.deepEqual(Object.keys(directoryContents(original)), ['secret', 'soku.db']);
  assert.equal(statSync(original).mode & 0o777, 0o700);
  for (const name of ['secret', 'soku.db']) {
    assert.equal(statSync(join(original, name)).mode & 0o777, 0o600, name);
  }
});

test('a later start knows the keys, the account and its sessions, and keeps a second process out', async () => {
  const { dataDir } = copy();
  chmodSync(dataDir, 0o2775);
  for (const name of ['secret', 'soku.db']) chmodSync(join(dataDir, name), 0o664);
  const running = await startServer({
    dataDir,
    unprivileged: true,
    env: { ...onePublicUrl, SOKU_OWNER_PASSWORD: 'another password' },
  });
  try {
    // What others may do is taken away; a group keeps its rights.
    assert.equal(statSync(dataDir).mode & 0o7777, 0o2770);
    for (const name of ['secret', 'soku.db']) {
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
    }
    assert.equal((await call(`${running.url}/v1/api-keys`, { headers: { cookie: ada.cookie } })).status, 200);
    const refused = await failStart(73, { dataDir });
    assert.match(refused, new RegExp(`in use by another Soku process \\(process ${running.pid}\\)`));
    assert.equal((await call(`${running.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
    assert.equal((await (await openSession(running)).makeKey({ name: 'still' })).key.status, 'active');
  } finally {
    await running.stop();
  }
});

test('a damaged database is refused with 65, and stays as it is', async () => {
  const { dataDir, file } = copy();
  truncateSync(file, 4096);
  const before = directoryContents(dataDir);
  assert.match(await failStart(65, { dataDir }), /damaged/);
  assert.deepEqual(directoryContents(dataDir), before);
});

test('a secret that is not whole is refused with 65, and the database stays as it is', async () => {
  const { dataDir } = copy();
  writeFileSync(join(dataDir, 'secret'), '');
  const before = directoryContents(dataDir);
  assert.match(await failStart(65, { dataDir }), /secret.*damaged/);
  const { secret, 'soku.db': database } = directoryContents(dataDir);
  assert.deepEqual({ secret, 'soku.db': database }, before);
});

test('a data directory that cannot be written is refused with 73', async () => {
  const dataDir = join(original, 'secret', 'below');
  const line = await failStart(73, { dataDir });
  assert.ok(line.includes(`${dataDir} cannot be written`), line);
});

test('a database that another program has locked is refused with 69', async () => {
  const { dataDir } = copy();
  const other = new DatabaseSync(join(dataDir, 'soku.db'));
  try {
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM verification');
    assert.match(await failStart(69, { dataDir }), /locked by another program/);
  } finally {
    other.close();
  }
});

test('of two processes that start at once on the same data, one serves', async () => {
  const { dataDir } = copy();
  const both = await Promise.all([spawnServer({ dataDir }), spawnServer({ dataDir })]);
  try {
    const loser = await Promise.race(both.map((server) => server.exited().then(() => server)));
    assert.equal((await loser.exited()).code, 73, loser.output);
    const winner = both.find((server) => server !== loser);
    await winner?.printed('Listening on');
    assert.equal((await call(`${winner?.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
  } finally {
    for (const server of both) await server.stop();
  }
});

test('a port that is taken is refused with 69 before anything is made', async () => {
  const port = await freePort();
  const blocker = createServer().listen(port, '127.0.0.1');
  try {
    const dataDir = join(root, 'not made');
    const line = await failStart(69, { dataDir, env: { PORT: String(port) } });
    assert.match(
      line,
      new RegExp(`PORT ${port} on 127.0.0.1 is in use by another program.*PORT=${port + 1}`),
    );
    assert.ok(!existsSync(dataDir));
  } finally {
    blocker.close();
  }
});

test('an address of another machine is refused with 69', async () => {
  const dataDir = join(root, 'not made');
  const line = await failStart(69, { dataDir, env: { HOST: '192.0.2.1' } });
  assert.match(line, /HOST 192.0.2.1 is not an address of this machine. Example: HOST=127.0.0.1/);
  assert.ok(!existsSync(dataDir));
});
