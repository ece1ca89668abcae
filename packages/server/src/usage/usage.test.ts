/** What the recording of usage reports about its writes, with PostgreSQL. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { FlushAge } from './flush-age.ts';
import { recordUsage } from './usage.ts';

const { database, close } = await openTestPostgres();
after(close);
const secrets = await insertSecrets(database, 3, 2);

test('a shutdown reports every part that is written', async () => {
  const source = new SecretCache({ valid: 10, rejected: 1 });
  const { stop } = recordUsage({ database, source, log: pino({ level: 'silent' }), retentionDays: 90 });
  for (const secret of secrets) secret.use(source, Date.now());
  let parts = 0;
  assert.equal(await stop(() => (parts += 1)), true);
  assert.equal(parts, 1);
});

test('the usage recording reports whether its periodic writes succeed', async () => {
  const source = new SecretCache({ valid: 10, rejected: 1 });
  const due: (() => void)[] = [];
  let scheduled = () => {};
  const flushAge = new FlushAge();
  const { start, stop, failures } = recordUsage({
    database,
    source,
    log: pino({ level: 'silent' }),
    retentionDays: 90,
    flushAge,
    schedule: (run) => {
      due.push(run);
      scheduled();
      return () => undefined;
    },
  });
  start();
  // The first task writes counts. When it has ended, it schedules its next run.
  const write = () =>
    new Promise<void>((resolve) => {
      const [next] = due.splice(0);
      scheduled = resolve;
      next?.();
    });
  for (const secret of secrets) secret.use(source, Date.now());
  await database.pool.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'x'; END $$;
    CREATE TRIGGER fail BEFORE INSERT ON usage_hour FOR EACH ROW EXECUTE FUNCTION fail()`);
  try {
    await write();
    assert.deepEqual([failures(), flushAge.ms], [1, undefined]);
  } finally {
    await database.pool.query('DROP TRIGGER fail ON usage_hour; DROP FUNCTION fail()');
  }
  await write();
  assert.ok((flushAge.ms ?? Number.POSITIVE_INFINITY) < 60_000, `${flushAge.ms}`);
  assert.equal(await stop(), true);
});
