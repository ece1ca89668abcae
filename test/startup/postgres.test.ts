/**
 * A start that fails because of PostgreSQL, as a service manager sees it. database/postgres-start.test.ts tests all
 * causes.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import pg from 'pg';
import { databaseVariables, newDataDir, startServer } from '../support/server.ts';
import { expectStartFailure } from '../support/start-failure.ts';

const dataDir = newDataDir();
after(() => rmSync(dataDir, { recursive: true, force: true }));

test('a wrong database password ends the start with code 78 and one line, which does not contain the password', async () => {
  const { DATABASE_URL = '', SOKU_SECRET } = await databaseVariables(dataDir, 'postgres');
  const url = new URL(DATABASE_URL);
  url.password = 'Tr0ub4dor';
  const line = await expectStartFailure(78, { dataDir, env: { DATABASE_URL: url.href, SOKU_SECRET } });
  assert.match(line, /^soku: DATABASE_URL: PostgreSQL rejected the user or the password\. Example: /);
  assert.doesNotMatch(line, /Tr0ub4dor/);
  // The driver's warning about this mode must not appear.
  url.searchParams.set('sslmode', 'require');
  const tls = await expectStartFailure(78, { dataDir, env: { DATABASE_URL: url.href, SOKU_SECRET } });
  assert.match(tls, /^soku: DATABASE_URL: PostgreSQL does not support TLS/);
});

test('a database that fails after it was opened is also reported in one line', async (t) => {
  const { DATABASE_URL, SOKU_SECRET } = await databaseVariables(dataDir, 'postgres');
  const env = { DATABASE_URL, SOKU_SECRET, LOG_LEVEL: 'error' };
  await (await startServer({ database: 'postgres', dataDir })).stop();
  const client = new pg.Client(DATABASE_URL);
  await client.connect();
  t.after(() => client.end());
  await client.query('BEGIN; LOCK TABLE dead_hash');
  const locked = await expectStartFailure(69, { dataDir, env });
  assert.match(locked, /^soku: DATABASE_URL: PostgreSQL did not get a lock within lock_timeout/);
  await client.query('ROLLBACK; UPDATE change_head SET lease_ms = 3000');
  const lease = await expectStartFailure(78, { dataDir, env });
  assert.match(lease, /^soku: The lease length is 3000 ms in the database but 2000 ms here\. /);
  await client.query('ALTER TABLE api_key DISABLE TRIGGER api_key_buried');
  const changed = await expectStartFailure(65, { dataDir, env });
  assert.match(changed, /has a changed schema: trigger api_key\.api_key_buried was changed\./);
});
