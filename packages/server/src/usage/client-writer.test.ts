/** Clients never hold up the counts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { eventually } from '../../../../test/support/contract.ts';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { recordUsage } from './usage.ts';

const { database, close } = await openTestPostgres();
after(close);
const secrets = await insertSecrets(database, 3, 1);

test('a stop writes the counts although the table of clients is locked, and then the clients', async () => {
  const source = new SecretCache({ valid: 10, rejected: 1 });
  const { stop } = recordUsage({ database, source, log: pino({ level: 'silent' }), retentionDays: 90 });
  for (const secret of secrets) secret.use(source, Date.now());
  const locked = await database.pool.connect();
  await locked.query('BEGIN; LOCK TABLE usage_client');
  const stopped = stop();
  const rowsOf = async (table: 'usage_hour' | 'usage_client') =>
    (await database.kysely.selectFrom(table).selectAll().execute()).length;
  await eventually(
    () => rowsOf('usage_hour'),
    (rows) => rows === 3,
  );
  await locked.query('COMMIT');
  locked.release();
  assert.equal(await stopped, true);
  // Three keys and their workspace.
  assert.equal(await rowsOf('usage_client'), 4);
});
