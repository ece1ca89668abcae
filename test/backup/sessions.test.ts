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
import { Scene } from './scene.ts';

test('a session in the backup of an earlier version is not restored', async (t) => {
  const scene = await Scene.ready(t, 'sqlite');
  const server = await scene.start();
  const ada = await openSession(server);
  const before = await ada.call('GET', '/v1/api-keys');
  assert.equal(before.status, 200);
  const file = scene.inBackupDir('older');
  const source = openSqliteSource(join(scene.dataDir, 'soku.db'));
  await writeBackup(source, file, () => undefined, { copied: databaseTables, indexed: false });
  await source.close();
  await server.kill('SIGTERM');
  await scene.freshDatabase();
  const { code, output } = await scene.operate(['restore', file]);
  assert.equal(code, 0, output);
  const restored = await scene.start();
  const again = new Person(restored.url, ada.cookie);
  assertProblem(await again.call('GET', '/v1/api-keys'), 'session_over');
});
