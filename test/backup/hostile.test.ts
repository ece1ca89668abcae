/** A restore from a manipulated backup takes only rows, and only rows that Soku could have written. */
import assert from 'node:assert/strict';
import { copyFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { digestTables } from '../../packages/server/src/backup/copy.ts';
import { restore } from '../../packages/server/src/backup/restore.ts';
import { sqliteEndpoint } from '../../packages/server/src/backup/sqlite-endpoint.ts';
import { backupTables } from '../../packages/server/src/backup/tables.ts';
import { readConfig } from '../../packages/server/src/config.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { BackupFixture } from './fixture.ts';

/** Replaces the triggers with one that undoes every revoke. */
const replaceTriggers = `
  DROP TRIGGER api_key_dead; DROP TRIGGER api_key_buried; DROP TRIGGER dead_hash_removed;
  CREATE TRIGGER api_key_buried AFTER UPDATE OF revoked_at ON api_key
    BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = NEW.id; DELETE FROM dead_hash; END;
  CREATE UNIQUE INDEX few ON dead_hash (length(hash));`;

/** Revokes a key and retires a secret only in their own rows, without recording their hashes. */
const revokeRowsOnly = `
  DROP TRIGGER api_key_buried; DROP TRIGGER api_key_secret_retired;
  UPDATE api_key SET revoked_at = 1, revoked_by = 'usr_x' WHERE name = 'row only';
  UPDATE api_key_secret SET retired_at = 1
    WHERE key_id = (SELECT id FROM api_key WHERE name = 'secret row only');`;

/** Changes to a backup that a restore rejects, by a part of the error. */
const rejected: Record<string, string> = {
  'dead_hash is a view, not a table': `DROP TABLE dead_hash;
    CREATE VIEW dead_hash AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i AS hash FROM n`,
  'dead_hash is a view, not a table.': `CREATE TABLE pragma_table_list (type, schema, name);
    DROP TABLE dead_hash; CREATE VIEW dead_hash AS SELECT hash FROM api_key_secret WHERE 0`,
  'kysely_migration is a view, not a table': `DROP TABLE kysely_migration;
    CREATE VIEW kysely_migration AS SELECT '0001-accounts' AS name`,
  'the table api_key has no column scopes': 'ALTER TABLE api_key DROP COLUMN scopes',
  'the table workspace has no column name': `ALTER TABLE workspace DROP COLUMN name;
    ALTER TABLE workspace ADD COLUMN name TEXT GENERATED ALWAYS AS ('Mine') VIRTUAL`,
  'The column created_at of the table workspace contains a value of the wrong type': `UPDATE workspace SET created_at = 'then'`,
  'The column created_at of the table api_key contains a value that Soku never writes':
    'UPDATE api_key SET created_at = 8640000000000001',
  'The column expires_at of the table api_key contains a value that Soku never writes':
    'UPDATE api_key SET expires_at = -1',
  'The column scopes of the table api_key contains a value that Soku never writes': `UPDATE api_key SET scopes = 'all '`,
  'The column id of the table api_key contains a value that Soku never writes': `PRAGMA foreign_keys = OFF;
    DROP TRIGGER api_key_identity; UPDATE api_key SET id = 'key_not/valid' WHERE name = 'kept'`,
  'The column day of the table usage_client contains a value that Soku never writes':
    "INSERT INTO usage_client VALUES (4000000, 'key', '{}')",
  'The column createdAt of the table user contains a value of the wrong type': `UPDATE user SET createdAt = 'then'`,
  'the table workspace contains a value that Soku never writes':
    'UPDATE workspace SET created_at = 9007199254740993',
  'the table workspace contains a value that Soku never writes.':
    'UPDATE workspace SET name = zeroblob(2000000)',
  'is damaged (workspace)': `UPDATE workspace SET name = 'Mine'`,
  'UNIQUE constraint failed': `CREATE TABLE copied AS SELECT * FROM workspace;
    PRAGMA foreign_keys = OFF; DROP TABLE workspace; ALTER TABLE copied RENAME TO workspace;
    INSERT INTO workspace SELECT * FROM workspace`,
};

/** The names of the keys whose hashes are recorded as revoked. */
function revokedNames(file: string): unknown[] {
  const database = new DatabaseSync(file);
  const rows = database.prepare(
    `SELECT k.name FROM dead_hash d JOIN api_key_secret s ON s.hash = d.hash JOIN api_key k ON k.id = s.key_id
     ORDER BY k.name`,
  );
  const names = rows.all().map(({ name }) => name);
  database.close();
  return names;
}

test('a restore takes only the rows of a backup, and rejects values that Soku never writes', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const server = await fixture.start();
  const owner = await openSession(server);
  const { apiKey, key } = await owner.createKey({ name: 'kept' });
  const rowOnlyKey = (await owner.createKey({ name: 'row only' })).key;
  await owner.createKey({ name: 'secret row only' });
  await server.kill('SIGTERM');
  const file = fixture.inBackupDir('backup');
  assert.equal((await fixture.operate(['backup', file])).code, 0);
  await fixture.freshDatabase();
  const config = readConfig({ SOKU_DATA_DIR: fixture.dataDir });
  const tools = { log: await createLog('silent', false), progress: () => undefined };

  const copy = fixture.inBackupDir('copy');
  const change = (statements: string) => {
    copyFileSync(file, copy);
    const database = new DatabaseSync(copy);
    database.exec(statements);
    database.close();
  };
  /** Updates the digests in the backup, as an attacker who changes rows would. */
  const updateDigests = async () => {
    const database = new DatabaseSync(copy);
    const content = await digestTables(sqliteEndpoint(database, copy), backupTables);
    database.prepare('UPDATE soku_backup SET content = ?').run(JSON.stringify(content));
    database.close();
  };
  for (const [problem, statements] of Object.entries(rejected)) {
    change(statements);
    await assert.rejects(restore(config, copy, tools), (error) => {
      assert.ok(error instanceof StartupError && error.exitCode === 65, String(error));
      assert.ok(error.message.includes(problem), error.message);
      return true;
    });
    assert.deepEqual(globSync('soku.db*', { cwd: fixture.dataDir }), [], 'no file is left behind');
  }

  change(replaceTriggers + revokeRowsOnly);
  await updateDigests();
  await restore(config, copy, tools);
  assert.deepEqual(revokedNames(join(fixture.dataDir, 'soku.db')), ['row only', 'secret row only']);
  const again = await fixture.start();
  const me = () => call(`${again.url}/v1/me`, { headers: bearer(apiKey) });
  assert.equal((await me()).status, 200);
  const ada = await openSession(again);
  const revoked = await ada.call('POST', `/v1/api-keys/${key.id}/revoke`);
  assert.equal(revoked.status, 200, revoked.text);
  assert.equal(JSON.parse(revoked.text).status, 'revoked');
  assert.equal((await me()).status, 401);
  const once = await ada.call('POST', `/v1/api-keys/${rowOnlyKey.id}/revoke`);
  assert.equal(once.status, 200, once.text);
});
