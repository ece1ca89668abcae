/** Moving from the SQLite file of one process to a PostgreSQL that several nodes share. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import pg from 'pg';
import { assertProblem } from '../support/contract.ts';
import { withoutUse } from '../support/key.ts';
import { openWithLongTimeouts } from '../support/open-database.ts';
import { bearer, call, type Person } from '../support/person.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import type { TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { BackupFixture, hashOf } from './fixture.ts';

const anyToken = { SOKU_IMPORTED_KEY_PREFIXES: '*' };

/** Imports a key with every field. @returns its token */
async function importOne(person: Person): Promise<string> {
  const token = randomBytes(20).toString('base64url');
  const key = {
    name: 'Imported',
    hash: hashOf(token),
    previewStart: token.slice(0, 12),
    previewEnd: token.slice(-4),
    expiresAt: '2099-01-01T00:00:00Z',
    scopes: ['keys:read'],
    allowedAddresses: ['127.0.0.1', '::1'],
    rateLimit: 60,
    externalId: 'cus_1',
    metadata: { plan: 'pro' },
    createdAt: '2020-01-01T00:00:00Z',
  };
  const response = await person.call('POST', '/v1/api-keys/import', { keys: [key] });
  assert.deepEqual(response.body, { imported: 1, unchanged: 0, problems: [] });
  return token;
}

async function assertAccepted(server: TestServer, token: string): Promise<void> {
  assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(token) })).status, 204);
}

test('a move copies accounts, keys, imported keys, usage and sessions to PostgreSQL', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const database = await createTemporaryDatabase();
  t.after(() => database.drop());
  const before = await fixture.start(undefined, anyToken);
  const ada = await openSession(before);
  const scopes = [{ name: 'files:read', description: 'Dateien öffnen' }];
  const catalog = (await ada.call('PUT', '/v1/scopes', { scopes })).body;
  const active = await ada.createKey({ name: 'active', scopes: ['files:*', 'keys:read'], rateLimit: 1000 });
  const revoked = await ada.createKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  await call(`${before.url}/v1/me`, { headers: bearer(active.apiKey) });
  const token = await importOne(ada);
  const list = async (url: string, headers: Record<string, string>) => {
    const response = await call(`${url}/v1/api-keys?status=all`, { headers });
    return keyListSchema.parse(response.body).data;
  };
  const postgres = {
    DATABASE_URL: database.url,
    SOKU_SECRET: readFileSync(join(fixture.dataDir, 'secret'), 'utf8').trim(),
  };
  const running = await fixture.operate(['move-to-postgres'], postgres);
  assert.equal(running.code, 73, running.output);
  const nowhere = await fixture.operate(['move-to-postgres']);
  assert.equal(nowhere.code, 78, nowhere.output);
  const keysBefore = await list(before.url, { cookie: ada.cookie });
  await before.kill('SIGTERM');

  const moved = await fixture.operateAsProcess(['move-to-postgres'], postgres);
  const { host, pathname, password } = new URL(database.url);
  const name = `the PostgreSQL database ${pathname.slice(1)} at ${host}`;
  assert.deepEqual(moved, {
    code: 0,
    output: `Moved 3 keys (1 revoked secret) and 1 account from ${join(fixture.dataDir, 'soku.db')} to ${name} and checked every row against the file.\n`,
  });
  const again = await fixture.operate(['move-to-postgres'], postgres);
  assert.equal(again.code, 73);
  assert.match(again.output, /^soku: DATABASE_URL: the database is not empty \(user\)/);

  const after = await fixture.start(fixture.dataDir, { ...postgres, ...anyToken });
  assert.deepEqual(await list(after.url, { cookie: ada.cookie }), keysBefore);
  assert.deepEqual((await call(`${after.url}/v1/scopes`, { headers: bearer(active.apiKey) })).body, catalog);
  assert.deepEqual(
    (await list(after.url, bearer(active.apiKey))).map(withoutUse),
    keysBefore.map(withoutUse),
  );
  assertProblem(await call(`${after.url}/v1/me`, { headers: bearer(revoked.apiKey) }), 'revoked_key');
  await assertAccepted(after, token);
  await after.signIn();
  // A backup of PostgreSQL can be restored into a SQLite file.
  const back = fixture.inBackupDir('back');
  const { output } = await fixture.operate(['backup', back], postgres);
  assert.match(output, /^Backed up 3 keys/);
  assert.ok(output.includes(`to ${back} from ${name}.`), output);
  assert.ok(!output.includes(password), 'the output does not contain the password of the URL');
  // Without DATABASE_URL, the output shows that the backup is of the old file.
  const stale = await fixture.operate(['backup', fixture.inBackupDir('stale')]);
  assert.ok(stale.output.includes(` from ${join(fixture.dataDir, 'soku.db')}.`), stale.output);
  await after.kill('SIGTERM');
  await fixture.freshDatabase();
  const restored = await fixture.operate(['restore', back]);
  assert.match(restored.output, /^Restored 3 keys .* to .*soku\.db and checked/);
  const file = await fixture.start(undefined, anyToken);
  assert.deepEqual((await call(`${file.url}/v1/scopes`, { headers: bearer(active.apiKey) })).body, catalog);
  assert.deepEqual((await list(file.url, bearer(active.apiKey))).map(withoutUse), keysBefore.map(withoutUse));
  await assertAccepted(file, token);
});

test('a move with another SOKU_SECRET reports that users must sign in again', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const database = await createTemporaryDatabase();
  t.after(() => database.drop());
  const { code, output } = await fixture.operate(['move-to-postgres'], {
    DATABASE_URL: database.url,
    SOKU_SECRET: 'another one than that of the data directory',
  });
  assert.equal(code, 0, output);
  assert.match(output, /all users must sign in again, and webhooks send nothing until/);
});

test('usage is known from the move on, also in a database that was migrated long ago', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  const database = await createTemporaryDatabase();
  t.after(() => database.drop());
  await (await openWithLongTimeouts(database.url)).close();
  const run = async (sql: string) => {
    const client = new pg.Client(database.url);
    await client.connect();
    return client.query(sql).finally(() => client.end());
  };
  await run('UPDATE usage_history SET complete_since = 1');
  const before = Date.now();
  const moved = await fixture.operate(['move-to-postgres'], {
    DATABASE_URL: database.url,
    SOKU_SECRET: readFileSync(join(fixture.dataDir, 'secret'), 'utf8').trim(),
  });
  assert.equal(moved.code, 0, moved.output);
  const { rows } = await run('SELECT complete_since FROM usage_history');
  assert.ok(rows.length === 1 && Number(rows[0].complete_since) >= before, JSON.stringify(rows));
});
