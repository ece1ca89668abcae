/** A restore or backup that is rejected reports the cause in one line and changes nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Kysely, Migrator } from 'kysely';
import { restore } from '../../packages/server/src/backup/restore.ts';
import { readConfig } from '../../packages/server/src/config.ts';
import { migrations } from '../../packages/server/src/database/migrate.ts';
import { NodeSqliteDialect } from '../../packages/server/src/database/sqlite-dialect.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';
import { operator } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { directoryContents } from '../support/start-failure.ts';
import { BackupFixture, kinds } from './fixture.ts';

/** Runs the operator's command with a limit of `bytes` per file. */
function operateWithFileLimit(bytes: number, { dataDir }: BackupFixture, args: string[]) {
  // ulimit -f counts blocks of 512 bytes.
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `ulimit -f ${bytes / 512}; exec "$@"`, 'sh', process.execPath, operator, ...args],
    { env: { PATH: process.env.PATH, SOKU_DATA_DIR: dataDir }, encoding: 'utf8' },
  );
  return { code: status, output: stdout + stderr };
}

/** A data directory with one account, and a backup of it. */
async function backedUp(t: TestContext): Promise<{ fixture: BackupFixture; file: string }> {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const server = await fixture.start();
  await (await openSession(server)).createKey({ name: 'findable-name' });
  await server.kill('SIGTERM');
  const file = fixture.inBackupDir('backup');
  assert.equal((await fixture.operate(['backup', file])).code, 0);
  return { fixture, file };
}

test('a restore rejects damaged backups, backups of newer versions, other files, and databases that are not empty', async (t) => {
  const { fixture, file } = await backedUp(t);
  const before = directoryContents(fixture.dataDir);
  const full = await fixture.operate(['restore', file]);
  assert.equal(full.code, 73, full.output);
  assert.match(full.output, /^soku: .*soku\.db is not empty \(user\)\. Nothing was changed\. .*\n$/);
  assert.deepEqual(directoryContents(fixture.dataDir), before);

  await fixture.freshDatabase();
  const changes: Record<string, (copy: string) => void> = {
    'does not exist': () => undefined,
    'is not a file': (copy) => mkdirSync(copy),
    'is damaged \\(api_key\\)': (copy) => {
      const content = readFileSync(file, 'latin1');
      // SQLite's integrity check does not detect a changed letter.
      writeFileSync(copy, content.replaceAll('findable-name', 'findable-game'), 'latin1');
    },
    'is damaged \\(.* on page': (copy) => {
      // All rows exist, but a query that uses the index would not find them.
      const database = new DatabaseSync(file, { readOnly: true });
      const index = database
        .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'api_key_secret_key'")
        .get();
      const size = database.prepare('PRAGMA page_size').get()?.page_size;
      database.close();
      const content = readFileSync(file);
      // Clears the number of entries in the page header (https://www.sqlite.org/fileformat.html#b_tree_pages).
      content.writeUInt16BE(0, (Number(index?.rootpage) - 1) * Number(size) + 3);
      writeFileSync(copy, content);
    },
    'is damaged': (copy) => writeFileSync(copy, readFileSync(file).subarray(0, 20_000)),
    'is damaged or not a backup': (copy) => writeFileSync(copy, 'no database '.repeat(1000)),
    'is not a Soku backup': (copy) => copyFileSync(fixture.inBackupDir('soku.db'), copy),
    'newer version of Soku \\(it has 9999-later\\)': (copy) => {
      copyFileSync(file, copy);
      const database = new DatabaseSync(copy);
      database.exec("INSERT INTO kysely_migration VALUES ('9999-later', '2099-01-01')");
      database.close();
    },
  };
  // The command prints the error of `restore`. Starting it for each case would take longer than the whole test.
  const config = readConfig({ SOKU_DATA_DIR: fixture.dataDir });
  const tools = { log: await createLog('silent', false), progress: () => undefined };
  let copies = 0;
  for (const [problem, change] of Object.entries(changes)) {
    const copy = fixture.inBackupDir(`copy ${++copies}`);
    change(copy);
    if (copies <= 2) {
      const { code, output } = await fixture.operate(['restore', copy]);
      assert.equal(code, 65, output);
      assert.match(output, new RegExp(`^soku: .*${problem}.*\n$`));
    } else {
      await assert.rejects(restore(config, copy, tools), (error) => {
        assert.ok(error instanceof StartupError && error.exitCode === 65, String(error));
        assert.match(error.message, new RegExp(`^.*${problem}.*$`));
        return true;
      });
    }
    assert.deepEqual(
      Object.keys(directoryContents(fixture.dataDir)),
      ['last-backup', 'secret'],
      'no file is left behind',
    );
  }

  writeFileSync(join(fixture.dataDir, 'soku.db-wal'), 'of another database');
  const log = await fixture.operate(['restore', file]);
  assert.equal(log.code, 73, log.output);
  assert.match(log.output, /soku\.db-wal belongs to the database that was moved away/);
  assert.ok(!existsSync(join(fixture.dataDir, 'soku.db')));
});

test('a backup fails without a database, or into a directory that does not exist', async (t) => {
  const fixture = await BackupFixture.of(t, 'sqlite');
  const none = await fixture.operate(['backup', fixture.inBackupDir('backup')]);
  assert.equal(none.code, 65, none.output);
  assert.match(none.output, /^soku: .*soku\.db does not exist\.\n$/);
  const full = await BackupFixture.ready(t, 'sqlite');
  const nowhere = await full.operate(['backup', full.inBackupDir('nowhere/backup')]);
  assert.equal(nowhere.code, 73, nowhere.output);
});

test('a backup to a dangling symbolic link, and a backup or restore that runs out of disk space, leave no files', async (t) => {
  const { fixture, file } = await backedUp(t);
  const name = fixture.inBackupDir('name');
  // Like a file that appears during the backup, the link is not visible to a check for an existing file.
  symlinkSync(fixture.inBackupDir('nowhere'), name);
  const taken = await fixture.operate(['backup', name]);
  assert.equal(taken.code, 73, taken.output);
  assert.match(taken.output, /^soku: .*name already exists\.\n$/);
  assert.equal(readlinkSync(name), fixture.inBackupDir('nowhere'));
  assert.deepEqual(globSync('name.*', { cwd: fixture.backupDir }), []);

  const none = fixture.inBackupDir('none');
  // Fails before the schema is complete, and while rows are copied. The limit simulates a full disk.
  for (const limit of [40_960, 102_400]) {
    const { code, output } = operateWithFileLimit(limit, fixture, ['backup', none]);
    assert.equal(code, 73, output);
    assert.match(output, /^soku: The backup .* could not be written \(.*\)\. No file was created\.\n$/);
    assert.deepEqual(globSync('none*', { cwd: fixture.backupDir }), []);
  }
  await fixture.freshDatabase();
  const before = directoryContents(fixture.dataDir);
  const restored = operateWithFileLimit(20_480, fixture, ['restore', file]);
  assert.equal(restored.code, 73, restored.output);
  assert.match(
    restored.output,
    /^soku: The backup .* could not be restored \(.*\)\. The database is unchanged\.\n$/,
  );
  assert.deepEqual(directoryContents(fixture.dataDir), before);
});

for (const kind of kinds) {
  test(`${kind}: a restore migrates the backup of an older version`, async (t) => {
    const { fixture: older, file } = await olderBackup(t);
    const fixture = await BackupFixture.of(t, kind);
    const restored = await fixture.operate(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    assert.match(restored.output, /^Restored 1 key \(1 revoked secret\) and 0 accounts/);
    // The server starts, and a backup of the restored database has the newest schema.
    await (await fixture.start()).kill('SIGTERM');
    const newest = fixture.inBackupDir('newest');
    assert.equal((await fixture.operate(['backup', newest])).code, 0);
    const database = new DatabaseSync(newest, { readOnly: true });
    t.after(() => database.close());
    const names = database.prepare('SELECT name FROM kysely_migration ORDER BY name').all();
    assert.deepEqual(
      names.map(({ name }) => name),
      Object.keys(migrations),
    );
    assert.equal(database.prepare('SELECT rate_limit FROM api_key').get()?.rate_limit, null);
    assert.ok(older.backupDir !== fixture.backupDir);
  });
}

/** A backup of a database with the migrations of the first version that had keys. */
async function olderBackup(t: TestContext): Promise<{ fixture: BackupFixture; file: string }> {
  const fixture = await BackupFixture.of(t, 'sqlite');
  const database = new DatabaseSync(join(fixture.dataDir, 'soku.db'));
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  assert.equal((await migrator.migrateTo('0002-api-keys')).error, undefined);
  database.exec(`
    INSERT INTO workspace VALUES ('ws_1', 'Old', 1);
    INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at, revoked_at, revoked_by)
      VALUES ('key_00000000000000000000000001', 'ws_1', 'usr_1', 'old', 'old', '', 1, 2, 'usr_1');
    INSERT INTO api_key_secret VALUES (x'${'ab'.repeat(32)}', 'key_00000000000000000000000001', 'sk_live_', 'abc', 'xyz', 1);
    INSERT INTO dead_hash VALUES (x'${'ab'.repeat(32)}');
  `);
  database.close();
  const file = fixture.inBackupDir('backup');
  const { code, output } = await fixture.operate(['backup', file]);
  assert.equal(code, 0, output);
  return { fixture, file };
}
