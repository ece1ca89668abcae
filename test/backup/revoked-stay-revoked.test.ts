/** Replacing the database with an older one does not reactivate keys that were revoked since. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { keyListSchema } from '@soku/contract/keys';
import { bearer, call, type Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { BackupFixture, hashOf, kinds } from './fixture.ts';

async function outcomeOf(url: string, key: string): Promise<string> {
  const response = await call(`${url}/v1/me`, { headers: bearer(key) });
  return response.status === 200 ? 'accepted' : errorSchema.parse(response.body).error.code;
}

async function statuses(person: Person): Promise<Record<string, string>> {
  const response = await person.call('GET', '/v1/api-keys?status=all');
  return Object.fromEntries(
    keyListSchema.parse(response.body).data.map(({ name, status }) => [name, status]),
  );
}

/** The numbers of rows of these tables in a backup. */
function rowsOf(file: string, tables: string[]): unknown[] {
  const backup = new DatabaseSync(file, { readOnly: true });
  const counts = tables.map((table) => backup.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
  backup.close();
  return counts;
}

for (const kind of kinds) {
  test(`${kind}: a key that was revoked after the backup is still revoked after the restore`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    const first = await fixture.start();
    const ada = await openSession(first);
    const [kept, before, later] = [
      await ada.createKey({ name: 'kept' }),
      await ada.createKey({ name: 'before' }),
      await ada.createKey({ name: 'later' }),
    ];
    await ada.revoke(before.key.id);
    const file = fixture.inBackupDir('backup');
    const backup = await fixture.operateAsProcess(['backup', file]);
    assert.equal(backup.code, 0, backup.output);
    assert.match(
      backup.output,
      /^Backed up 3 keys \(1 revoked secret\) and 1 account to .*does not contain the secret .*webhooks/,
    );
    assert.deepEqual(rowsOf(file, ['user', 'session', 'verification']), [1, 0, 0]);
    const createdLater = await ada.createKey({ name: 'created later' });
    await ada.revoke(later.key.id);
    await ada.revoke(createdLater.key.id);
    assert.deepEqual(
      fixture.journal(),
      [before, later, createdLater].map(({ apiKey }) => hashOf(apiKey)),
    );
    await first.kill('SIGTERM');

    await fixture.freshDatabase();
    const restored = await fixture.operateAsProcess(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    assert.match(
      restored.output,
      /^Restored 3 keys .*The revocation journal has later revocations: 1 active key revoked again\./,
    );
    const second = await fixture.start();
    const expected = { kept: 'active', before: 'revoked', later: 'revoked' };
    assert.equal(await outcomeOf(second.url, kept.apiKey), 'accepted');
    for (const revoked of [before, later]) {
      assert.equal(await outcomeOf(second.url, revoked.apiKey), 'revoked_key');
    }
    assert.equal(await outcomeOf(second.url, createdLater.apiKey), 'unknown_key');
    // Sessions are not restored, because a user may have signed out since.
    assert.equal((await call(`${second.url}/v1/api-keys`, { headers: { cookie: ada.cookie } })).status, 401);
    assert.deepEqual(await statuses(await openSession(second)), expected);
    const files = [file, join(fixture.dataDir, 'revoked-hashes')].map((path) => readFileSync(path, 'latin1'));
    for (const { apiKey } of [kept, before, later, createdLater]) {
      assert.ok(!files.some((content) => content.includes(apiKey.slice(8))));
    }
  });
}

test('sqlite: putting back an old copy of the database file does not reactivate a revoked key', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  let server = await fixture.start();
  const later = await (await openSession(server)).createKey({ name: 'later' });
  await server.kill('SIGTERM');
  const [file, snapshot] = [join(fixture.dataDir, 'soku.db'), fixture.inBackupDir('snapshot')];
  copyFileSync(file, snapshot);
  server = await fixture.start();
  await (await openSession(server)).revoke(later.key.id);
  await server.kill('SIGTERM');
  copyFileSync(snapshot, file);
  server = await fixture.start();
  assert.match(server.output, /"hashes":1,"keys":1,.*older than the revocation journal/);
  assert.equal(await outcomeOf(server.url, later.apiKey), 'revoked_key');
  assert.deepEqual(await statuses(await openSession(server)), { later: 'revoked' });
  await server.kill('SIGTERM');
  // The server reports this only once.
  server = await fixture.start();
  assert.doesNotMatch(server.output, /older than the revocation journal/);
});
