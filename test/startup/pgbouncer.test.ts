/** A start through a real PgBouncer: only by session may it pool, because verification hears of revokes by LISTEN. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { openPostgres } from '../../packages/server/src/database/postgres.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';
import { debianProgram } from '../support/debian.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { temporaryDatabase } from '../support/postgres-database.ts';

const program = debianProgram('pgbouncer');
const skip = typeof program === 'string' ? program : false;
const { url, drop } = await temporaryDatabase();
after(drop);
const log = await createLog('silent', false);

const ignored = {
  ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
};
const refused: Record<string, { settings: Record<string, string>; says: RegExp }> = {
  'that pools by transaction': {
    settings: { ...ignored, pool_mode: 'transaction' },
    says: /another session.*set pool_mode = session/,
  },
  'that pools by statement': {
    settings: { ...ignored, pool_mode: 'statement' },
    says: /another session.*set pool_mode = session/,
  },
  'that refuses our timeouts': {
    settings: { pool_mode: 'session' },
    says: /unsupported startup parameter.*ignore_startup_parameters = statement_timeout,/,
  },
};

async function through<T>(settings: Record<string, string>, work: (url: string) => Promise<T>): Promise<T> {
  if (typeof program === 'string') throw new Error(program);
  const pgbouncer = await startPgBouncer(program, url, settings);
  try {
    return await work(pgbouncer.url);
  } finally {
    await pgbouncer.stop();
  }
}

const open = (to: string) => openPostgres(to, log, { patience: 0, pause: 0 });

/** A refusal with 78. @returns what it says */
async function refusal(settings: Record<string, string>): Promise<string> {
  const error = await through(settings, (to) => open(to).catch((thrown) => thrown));
  assert.ok(error instanceof StartupError && error.exitCode === 78, String(error));
  return error.message;
}

test('PgBouncer: a start', { skip }, async (t) => {
  await t.test('needs the timeouts on the role, as PgBouncer drops them', async () => {
    const settings = { ...ignored, pool_mode: 'session' };
    assert.match(await refusal(settings), /idle_in_transaction_session_timeout = 0.*ALTER ROLE "?soku_test_/);
  });
  const client = new pg.Client(url);
  await client.connect();
  const role = new URL(url).username;
  for (const timeout of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
    await client.query(`ALTER ROLE ${role} SET ${timeout} = '9s'`);
  }
  await client.end();
  for (const [name, { settings, says }] of Object.entries(refused)) {
    await t.test(`is refused by one ${name}`, async () => assert.match(await refusal(settings), says));
  }
  await t.test('works through one that pools by session', async () => {
    await through({ ...ignored, pool_mode: 'session' }, async (to) => (await open(to)).close());
  });
});
