import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestPostgres, openWithLongTimeouts } from '../../../../test/support/open-database.ts';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { createSetupCode } from './setup-code.ts';

const secret = 'a secret that is only for the tests';

async function onPostgres() {
  const { database, close } = await openTestPostgres();
  after(close);
  return database.kysely;
}

/** A database with an identity of its own: those of `openTestPostgres` are copies of one. */
async function onAnotherPostgres() {
  const { url, drop } = await createTemporaryDatabase();
  const database = await openWithLongTimeouts(url);
  after(async () => {
    await database.close();
    await drop();
  });
  return database.kysely;
}

test('on PostgreSQL every process derives the same code from the secret and the database', async () => {
  const [one, other] = [await onPostgres(), await onAnotherPostgres()];
  const code = await createSetupCode(one, secret);
  assert.match(code, /^([0-9a-f]{6}-){4}[0-9a-f]{6}$/);
  assert.equal(await createSetupCode(one, secret), code);
  assert.notEqual(await createSetupCode(one, `${secret}!`), code, 'another secret');
  assert.notEqual(await createSetupCode(other, secret), code, 'another database');
});

test('on SQLite the code is different each time', async () => {
  const { database, close } = await openTemporarySqlite();
  after(close);
  const codes = [
    await createSetupCode(database.kysely, secret),
    await createSetupCode(database.kysely, secret),
  ];
  assert.match(codes.join(), /^([0-9a-f]{6}-){4}[0-9a-f]{6},([0-9a-f]{6}-){4}[0-9a-f]{6}$/);
  assert.notEqual(codes[0], codes[1]);
});
