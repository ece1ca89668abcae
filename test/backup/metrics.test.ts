/** The server metrics show the backups of the operator's command. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertExposition } from '../support/exposition.ts';
import { call } from '../support/person.ts';
import { BackupFixture, kinds } from './fixture.ts';

for (const kind of kinds) {
  test(`${kind}: the metrics show the times of the last backup and of the last failed backup`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    const server = await fixture.start();
    const read = async () => {
      const { text } = await call(`${server.url}/metrics`);
      assertExposition(text);
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]) * 1000;
      return {
        createdAt: value('soku_last_backup_timestamp_seconds'),
        failedAt: value('soku_last_failed_backup_timestamp_seconds'),
      };
    };
    assert.deepEqual(await read(), { createdAt: 0, failedAt: 0 });

    const started = Date.now();
    const file = fixture.inBackupDir('backup');
    const first = await fixture.operate(['backup', file]);
    assert.equal(first.code, 0, first.output);
    const { createdAt, failedAt } = await read();
    assert.ok(createdAt >= started && createdAt <= Date.now(), String(createdAt));
    assert.equal(failedAt, 0);

    const again = await fixture.operate(['backup', file]);
    assert.equal(again.code, 73, again.output);
    const after = await read();
    assert.equal(after.createdAt, createdAt);
    assert.ok(after.failedAt > createdAt && after.failedAt <= Date.now(), String(after.failedAt));

    const record = join(fixture.dataDir, 'last-backup');
    assert.equal(
      statSync(record).mode & 0o777,
      0o644,
      'a server that is not root must be able to read the file of root',
    );
    for (const text of ['', 'null', '{"at":9e99}', `{"at":1,"database":"${kind}"`, '{"at":-1}']) {
      writeFileSync(record, text);
      assert.equal((await read()).createdAt, 0, text);
    }
    const other = kind === 'sqlite' ? 'postgres' : 'sqlite';
    writeFileSync(record, JSON.stringify({ at: createdAt, database: other }));
    assert.equal((await read()).createdAt, 0, 'a backup of the database from before a move does not count');
  });
}

test('a backup without a data directory reports that the metrics do not show it', async (t) => {
  const fixture = await BackupFixture.ready(t, 'postgres');
  const missing = fixture.inBackupDir('missing');
  const { code, output } = await fixture.operate(['backup', fixture.inBackupDir('backup')], {
    SOKU_DATA_DIR: missing,
  });
  assert.equal(code, 0, output);
  assert.match(
    output,
    /^The data directory .*missing does not exist, so the server metrics do not show this backup\.$/m,
  );
});
