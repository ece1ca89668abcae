/** A backup contains no sessions, and sessions in a backup of an earlier version are not restored. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { writeBackup } from '../../packages/server/src/backup/backup-file.ts';
import { openSqliteSource } from '../../packages/server/src/backup/source.ts';
import { databaseTables } from '../../packages/server/src/backup/tables.ts';
import { assertProblem } from '../support/contract.ts';
import { Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { kinds, Scene } from './scene.ts';

for (const kind of kinds) {
  test(`${kind}: a backup contains no sessions`, async (t) => {
    const scene = await Scene.ready(t, kind);
    const server = await scene.start();
    await openSession(server);
    const file = scene.inBackupDir('backup');
    assert.equal((await scene.operate(['backup', file])).code, 0);
    const backup = new DatabaseSync(file, { readOnly: true });
    t.after(() => backup.close());
    const count = (table: string) => backup.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows;
    assert.deepEqual(['user', 'session', 'verification'].map(count), [1, 0, 0]);
  });
}

test('a session in the backup of an earlier version is not restored', async (t) => {
  const scene = await Scene.ready(t, 'sqlite');
  const server = await scene.start();
  const ada = await openSession(server);
  const before = await ada.call('GET', '/v1/api-keys');
  assert.equal(before.status, 200);
  const file = scene.inBackupDir('older');
  const source = openSqliteSource(join(scene.dataDir, 'soku.db'));
  await writeBackup(source, file, () => undefined, databaseTables);
  await source.close();
  await server.kill('SIGTERM');
  await scene.freshDatabase();
  const { code, output } = await scene.operate(['restore', file]);
  assert.equal(code, 0, output);
  const restored = await scene.start();
  const again = new Person(restored.url, ada.cookie);
  assertProblem(await again.call('GET', '/v1/api-keys'), 'session_over');
});
