/** Starting through a real PgBouncer needs session pooling, because LISTEN delivers revokes to verification. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { openPostgres } from '../../packages/server/src/database/postgres.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';
import { debianProgram } from '../support/debian.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';

const program = debianProgram('pgbouncer');
const skip = typeof program === 'string' ? program : false;
const { url, drop } = await createTemporaryDatabase();
after(drop);
const log = await createLog('silent', false);

const ignored = {
  ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
};
const rejected: Record<string, { settings: Record<string, string>; message: RegExp }> = {
  'transaction pooling': {
    settings: { ...ignored, pool_mode: 'transaction' },
    message: /different session.*set pool_mode = session/,
  },
  'statement pooling': {
    settings: { ...ignored, pool_mode: 'statement' },
    message: /different session.*set pool_mode = session/,
  },
  'unsupported timeout parameters': {
    settings: { pool_mode: 'session' },
    message: /unsupported startup parameter.*ignore_startup_parameters = statement_timeout,/,
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

const open = (to: string) => openPostgres(to, log, { timeoutMs: 0, pauseMs: 0 });

/** Asserts that a start fails with code 78. @returns the error message */
async function startupError(settings: Record<string, string>): Promise<string> {
  const error = await through(settings, (to) => open(to).catch((thrown) => thrown));
  assert.ok(error instanceof StartupError && error.exitCode === 78, String(error));
  return error.message;
}

test('a start through PgBouncer', { skip }, async (t) => {
  await t.test(
    'fails without timeouts on the role, because PgBouncer drops those of the connection',
    async () => {
      const settings = { ...ignored, pool_mode: 'session' };
      assert.match(
        await startupError(settings),
        /idle_in_transaction_session_timeout = 0.*ALTER ROLE "?soku_test_/,
      );
    },
  );
  const client = new pg.Client(url);
  await client.connect();
  const role = new URL(url).username;
  for (const timeout of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
    await client.query(`ALTER ROLE ${role} SET ${timeout} = '9s'`);
  }
  await client.end();
  for (const [name, { settings, message }] of Object.entries(rejected)) {
    await t.test(`fails with ${name}`, async () => assert.match(await startupError(settings), message));
  }
  await t.test('works with session pooling', async () => {
    await through({ ...ignored, pool_mode: 'session' }, async (to) => (await open(to)).close());
  });
});
