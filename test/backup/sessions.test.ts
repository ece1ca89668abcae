/** Sessions in a backup of an earlier version are not restored. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeBackup } from '../../packages/server/src/backup/backup-file.ts';
import { openSqliteSource } from '../../packages/server/src/backup/source.ts';
import { databaseTables } from '../../packages/server/src/backup/tables.ts';
import { assertProblem } from '../support/contract.ts';
import { Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { BackupFixture } from './fixture.ts';

test('a session in the backup of an earlier version is not restored', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const server = await fixture.start();
  const ada = await openSession(server);
  const before = await ada.call('GET', '/v1/api-keys');
  assert.equal(before.status, 200);
  const file = fixture.inBackupDir('older');
  const source = openSqliteSource(join(fixture.dataDir, 'soku.db'));
  await writeBackup(source, file, () => undefined, { copied: databaseTables, indexed: false });
  await source.close();
  await server.kill('SIGTERM');
  await fixture.freshDatabase();
  const { code, output } = await fixture.operate(['restore', file]);
  assert.equal(code, 0, output);
  const restored = await fixture.start();
  const again = new Person(restored.url, ada.cookie);
  assertProblem(await again.call('GET', '/v1/api-keys'), 'session_over');
});
