/**
 * How processes share a data directory, and which files they leave in it. These tests start real processes with one
 * example of each kind of unusable data; packages/server/src/database/refused-data.test.ts has all cases.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { bearer, call } from '../support/person.ts';
import { copyDirectory } from '../support/ready-data.ts';
import { freePort, newDataDir, onePublicUrl, spawnServer, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { directoryContents, expectStartFailure } from '../support/start-failure.ts';

// Also in a run on PostgreSQL, because a data directory contains a database only with SQLite.
process.env.SOKU_TEST_DATABASE = 'sqlite';

const root = newDataDir();
after(() => rmSync(root, { recursive: true, force: true }));

/** The data directory of a stopped server, with an account and a key. */
const original = join(root, 'original');
const first = await startServer({ dataDir: original, env: onePublicUrl });
const ada = await openSession(first);
const { apiKey } = await ada.createKey({ name: 'kept' });
await first.stop();

let copies = 0;
/** Copies it, so that a test can damage the copy. */
function copy(): { dataDir: string; file: string } {
  copies += 1;
  const dataDir = join(root, `copy ${copies}`);
  copyDirectory(original, dataDir);
  return { dataDir, file: join(dataDir, 'soku.db') };
}

test('a stopped server leaves one database and one secret, which other users cannot read', () => {
  assert.deepEqual(Object.keys(directoryContents(original)), ['secret', 'soku.db']);
  assert.equal(statSync(original).mode & 0o777, 0o700);
  for (const name of ['secret', 'soku.db']) {
    assert.equal(statSync(join(original, name)).mode & 0o777, 0o600, name);
  }
});

test('a restarted server keeps keys, account and sessions, and rejects a second process on its data', async () => {
  const { dataDir } = copy();
  chmodSync(dataDir, 0o2775);
  for (const name of ['secret', 'soku.db']) chmodSync(join(dataDir, name), 0o664);
  const running = await startServer({
    dataDir,
    unprivileged: true,
    env: { ...onePublicUrl, SOKU_OWNER_PASSWORD: 'another password' },
  });
  try {
    // The start removes the permissions of others; the group of the directory keeps its own.
    assert.equal(statSync(dataDir).mode & 0o7777, 0o2770);
    for (const name of ['secret', 'soku.db']) {
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
    }
    assert.equal((await call(`${running.url}/v1/api-keys`, { headers: { cookie: ada.cookie } })).status, 200);
    const line = await expectStartFailure(73, { dataDir });
    assert.match(line, new RegExp(`in use by another Soku process \\(process ${running.pid}\\)`));
    assert.equal((await call(`${running.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
    assert.equal((await (await openSession(running)).createKey({ name: 'still' })).key.status, 'active');
  } finally {
    await running.stop();
  }
});

test('a start with a damaged database ends with code 65 and does not change it', async () => {
  const { dataDir, file } = copy();
  truncateSync(file, 4096);
  const before = directoryContents(dataDir);
  assert.match(await expectStartFailure(65, { dataDir }), /damaged/);
  assert.deepEqual(directoryContents(dataDir), before);
});

test('a start with a damaged secret ends with code 65 and does not change the database', async () => {
  const { dataDir } = copy();
  writeFileSync(join(dataDir, 'secret'), '');
  const before = directoryContents(dataDir);
  assert.match(await expectStartFailure(65, { dataDir }), /secret.*damaged/);
  const { secret, 'soku.db': database } = directoryContents(dataDir);
  assert.deepEqual({ secret, 'soku.db': database }, before);
});

test('a start with a data directory that cannot be written ends with code 73', async () => {
  const dataDir = join(original, 'secret', 'below');
  const line = await expectStartFailure(73, { dataDir });
  assert.ok(line.includes(`${dataDir} cannot be written`), line);
});

test('a start with a database that another program has locked ends with code 69', async () => {
  const { dataDir } = copy();
  const other = new DatabaseSync(join(dataDir, 'soku.db'));
  try {
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM verification');
    assert.match(await expectStartFailure(69, { dataDir }), /locked by another program/);
  } finally {
    other.close();
  }
});

test('of two processes that start concurrently on the same data, exactly one serves', async () => {
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

test('a start on a port in use ends with code 69 before it creates any file', async () => {
  const port = await freePort();
  const blocker = createServer().listen(port, '127.0.0.1');
  try {
    const dataDir = join(root, 'not created');
    const line = await expectStartFailure(69, { dataDir, env: { PORT: String(port) } });
    assert.match(
      line,
      new RegExp(`PORT ${port} on 127.0.0.1 is in use by another program.*PORT=${port + 1}`),
    );
    assert.ok(!existsSync(dataDir));
  } finally {
    blocker.close();
  }
});

test('a start on an address of another machine ends with code 69', async () => {
  const dataDir = join(root, 'not created');
  const line = await expectStartFailure(69, { dataDir, env: { HOST: '192.0.2.1' } });
  assert.match(line, /HOST 192.0.2.1 is not an address of this machine. Example: HOST=127.0.0.1/);
  assert.ok(!existsSync(dataDir));
});
