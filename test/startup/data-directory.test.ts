/** A start on data that cannot be used is refused in one line, and changes nothing. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { bearer, call } from '../support/person.ts';
import { freePort, newDataDir, spawnServer, startServer } from '../support/server.ts';
import { contentsOf, refusedStart } from '../support/start.ts';

// Also in a run on PostgreSQL: what a data directory has to hold it has only without one.
process.env.SOKU_TEST_DATABASE = 'sqlite';

const root = newDataDir();
after(() => rmSync(root, { recursive: true, force: true }));

/** A directory with an account and a key in it, at rest. */
const original = join(root, 'original');
const first = await startServer({ dataDir: original });
const { apiKey } = await (await first.signIn()).makeKey({ name: 'kept' });
await first.stop();

let copies = 0;
/** A copy of it to be damaged. */
function copy(): { dataDir: string; file: string } {
  copies += 1;
  const dataDir = join(root, `copy ${copies}`);
  cpSync(original, dataDir, { recursive: true });
  return { dataDir, file: join(dataDir, 'soku.db') };
}

/** Damages a copy, and fails unless the start on it is refused with 65 and leaves it as it was. */
async function assertRefused(damage: (file: string) => void, says: RegExp): Promise<void> {
  const { dataDir, file } = copy();
  damage(file);
  const before = contentsOf(dataDir);
  assert.match(await refusedStart(65, { dataDir }), says);
  assert.deepEqual(contentsOf(dataDir), before);
}

function overwrite(file: string, offset: number, bytes: Buffer): void {
  const content = readFileSync(file);
  bytes.copy(content, offset);
  writeFileSync(file, content);
}

function inDatabase(file: string, statement: string): void {
  const database = new DatabaseSync(file);
  database.exec(statement);
  database.close();
}

test('a server at rest leaves one database, one secret, and nothing that others can read', () => {
  assert.deepEqual(Object.keys(contentsOf(original)), ['secret', 'soku.db']);
  assert.equal(statSync(original).mode & 0o777, 0o700);
  for (const name of ['secret', 'soku.db']) {
    assert.equal(statSync(join(original, name)).mode & 0o777, 0o600, name);
  }
});

test('a second start on the same data knows the keys, the account and its sessions', async () => {
  const { dataDir } = copy();
  const again = await startServer({ dataDir, env: { SOKU_OWNER_PASSWORD: 'another password' } });
  try {
    assert.equal((await call(`${again.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
    assert.equal((await (await again.signIn()).call('GET', '/v1/api-keys')).status, 200);
  } finally {
    await again.stop();
  }
});

test('a database with a damaged header is refused with 65', async () => {
  await assertRefused((file) => writeFileSync(file, 'not a database at all'), /damaged/);
  await assertRefused((file) => overwrite(file, 0, Buffer.alloc(100)), /damaged/);
  await assertRefused((file) => overwrite(file, 16, Buffer.from([0xff, 0xff])), /damaged/);
  await assertRefused((file) => overwrite(file, 100, Buffer.alloc(200, 0xa5)), /damaged/);
});

test('a database that was cut short is refused with 65', async () => {
  const { size } = statSync(join(original, 'soku.db'));
  await assertRefused((file) => truncateSync(file, size - 4096), /damaged/);
  await assertRefused((file) => truncateSync(file, 4096), /damaged/);
  await assertRefused((file) => truncateSync(file, 15), /damaged/);
  await assertRefused((file) => truncateSync(file, 0), /damaged: it is empty/);
});

test('a database with a page of other bytes in the middle is refused with 65', async () => {
  const pages = statSync(join(original, 'soku.db')).size / 4096;
  for (const page of [1, Math.floor(pages / 3), Math.floor(pages / 2), pages - 1]) {
    await assertRefused((file) => overwrite(file, page * 4096, Buffer.alloc(4096, 0xa5)), /damaged/);
  }
});

/** What a server has in its data directory; the journal needs a revoke. */
const names = ['soku.db', 'soku.db-wal', 'soku.db-shm', 'secret', 'lock', 'lock.owner', 'dead-hashes'];

test('a file that is none, or that this user cannot read or does not own, is refused with 73', async () => {
  for (const name of names) {
    const damages: ((path: string) => void)[] = [(path) => mkdirSync(path)];
    // Only root can give a file away; the server that is started has none of root's rights.
    if (process.getuid?.() === 0) {
      damages.push((path) => {
        writeFileSync(path, readIfFile(join(original, name)), { mode: 0o600 });
        chownSync(path, 1234, 1234);
      });
    } else {
      damages.push((path) => writeFileSync(path, readIfFile(join(original, name)), { mode: 0o000 }));
    }
    const refused = damages.map(async (damage) => {
      const { dataDir } = copy();
      const path = join(dataDir, name);
      rmSync(path, { force: true });
      damage(path);
      const line = await refusedStart(73, { dataDir, unprivileged: true });
      assert.ok(line.includes(`${path} cannot be used`), line);
    });
    await Promise.all(refused);
  }
});

function readIfFile(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

test('what others may do with the data directory and its files is taken away; a group keeps its rights', async () => {
  const { dataDir } = copy();
  chmodSync(dataDir, 0o2775);
  for (const name of ['secret', 'soku.db']) chmodSync(join(dataDir, name), 0o664);
  const running = await startServer({ dataDir, unprivileged: true });
  try {
    assert.equal(statSync(dataDir).mode & 0o7777, 0o2770);
    for (const name of ['secret', 'soku.db']) {
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
    }
  } finally {
    await running.stop();
  }
});

test('a directory that others can read, and that holds something else, is refused with 73 as it is', async () => {
  const dataDir = join(root, 'home');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  writeFileSync(join(dataDir, 'letter'), '');
  assert.match(await refusedStart(73, { dataDir }), /Other users can read .* chmod o-rwx/);
  assert.equal(statSync(dataDir).mode & 0o777, 0o755);
});

test('a database of a newer version is refused with 65 by the name of what it has', async () => {
  const insert = `INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-time-travel', '2030-01-01')`;
  await assertRefused((file) => inDatabase(file, insert), /newer version.*9999-time-travel/);
});

test('a database with an exchanged trigger is refused with 65 by its name', async () => {
  const damage = (file: string) =>
    inDatabase(
      file,
      'DROP TRIGGER api_key_dead; CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key BEGIN SELECT 1; END',
    );
  await assertRefused(damage, /has a changed schema: trigger api_key_dead was changed\./);
});

test('a database of another program is refused with 65', async () => {
  await assertRefused((file) => {
    rmSync(file);
    inDatabase(file, 'CREATE TABLE invoices (id)');
  }, /some other program/);
});

test('a secret that is not whole is refused with 65, because cookies could be forged with it', async () => {
  for (const content of ['', '\n', 'short']) {
    const { dataDir } = copy();
    writeFileSync(join(dataDir, 'secret'), content);
    const before = contentsOf(dataDir);
    assert.match(await refusedStart(65, { dataDir }), /secret.*damaged/);
    const { secret, 'soku.db': database } = contentsOf(dataDir);
    assert.deepEqual({ secret, 'soku.db': database }, before);
  }
});

test('a data directory that cannot be written is refused with 73', async () => {
  const file = join(root, 'a file');
  writeFileSync(file, 'content');
  for (const dataDir of [file, join(file, 'below'), '/dev/null/x', '/proc/x']) {
    const line = await refusedStart(73, { dataDir });
    assert.match(line, /cannot be written.*SOKU_DATA_DIR=\/var\/lib\/soku/);
    assert.ok(line.includes(dataDir));
  }
  assert.equal(readFileSync(file, 'utf8'), 'content');
});

test('a second process on the same data is refused with 73, by the id of the first, which serves on', async () => {
  const { dataDir } = copy();
  const running = await startServer({ dataDir });
  try {
    const line = await refusedStart(73, { dataDir });
    assert.match(line, new RegExp(`in use by another Soku process \\(process ${running.pid}\\)`));
    assert.equal((await call(`${running.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
    assert.equal((await (await running.signIn()).makeKey({ name: 'still' })).key.status, 'active');
  } finally {
    await running.stop();
  }
});

test('a database that has another name elsewhere is refused with 73, because the lock does not cover that one', async () => {
  for (const link of [linkSync, symlinkSync]) {
    const { dataDir } = copy();
    const elsewhere = copy().dataDir;
    rmSync(join(elsewhere, 'soku.db'));
    link(join(dataDir, 'soku.db'), join(elsewhere, 'soku.db'));
    assert.match(await refusedStart(73, { dataDir: elsewhere }), /is a link, or has another name/);
  }
});

test('a database that another program has locked is refused with 69', async () => {
  const { dataDir } = copy();
  const other = new DatabaseSync(join(dataDir, 'soku.db'));
  try {
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM verification');
    assert.match(await refusedStart(69, { dataDir }), /locked by another program/);
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
    const line = await refusedStart(69, { dataDir, env: { PORT: String(port) } });
    assert.match(line, new RegExp(`PORT ${port} on 127.0.0.1 is taken.*PORT=${port + 1}`));
    assert.ok(!existsSync(dataDir));
  } finally {
    blocker.close();
  }
});

test('an address of another machine is refused with 69', async () => {
  const dataDir = join(root, 'not made');
  const line = await refusedStart(69, { dataDir, env: { HOST: '192.0.2.1' } });
  assert.match(line, /HOST 192.0.2.1 is not an address of this machine. Example: HOST=127.0.0.1/);
  assert.ok(!existsSync(dataDir));
});
