import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { z } from 'zod';
import { type Postgres, startPostgres } from '../../../../test/support/postgres.ts';
import { createCertificate } from '../../../../test/support/postgres-certificate.ts';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { freePort } from '../../../../test/support/server.ts';
import { StartupError } from '../startup-error.ts';
import { advisoryLocks } from './dialect.ts';
import { openPostgres } from './postgres.ts';
import { explainConnectFailure } from './postgres-failures.ts';

const log = pino({ level: 'silent' });
const noRetry = { timeoutMs: 0, pauseMs: 0 };

/** Certificate of a server with TLS. */
let postgres: Postgres;
const files = mkdtempSync(join(tmpdir(), 'soku-test-'));
before(async () => {
  postgres = await startPostgres({ tls: true });
});
after(async () => {
  await postgres.stop();
  rmSync(files, { recursive: true });
});

function certificateFile(name: string, certificate: string | undefined): string {
  const file = join(files, name);
  writeFileSync(file, certificate ?? '');
  return file;
}

/** Fails unless the URL is rejected with this exit code, in one line without the password. */
async function assertRefused(url: string, exitCode: number, says: RegExp): Promise<void> {
  await assert.rejects(openPostgres(url, log, noRetry), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.exitCode, exitCode, error.message);
    assert.match(error.message, says);
    assert.doesNotMatch(error.message, /\n/);
    assert.ok(!error.message.includes(new URL(url).password), 'the message contains the password');
    return true;
  });
}

function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url);
  change(copy);
  return copy.href;
}

/** Creates an empty database whose owner has the given settings or privileges; `{name}` is the name of both. */
async function databaseWith(t: TestContext, { options = '', statements = [] as string[] }): Promise<string> {
  const { url, drop } = await createTemporaryDatabase(postgres.url(), options);
  t.after(drop);
  const { username } = new URL(url);
  const name = username;
  const superuser = new pg.Client(changed(postgres.url(), (to) => (to.pathname = `/${name}`)));
  await superuser.connect();
  for (const statement of statements) await superuser.query(statement.replaceAll('{name}', name));
  await superuser.end();
  return url;
}

test('an unreachable address is rejected with 69', async () => {
  const port = await freePort();
  await assertRefused(
    `postgres://soku:s3cret@127.0.0.1:${port}/soku`,
    69,
    /does not respond \(ECONNREFUSED\)/,
  );
  await assertRefused('postgres://soku:s3cret@no-such-host.invalid/soku', 69, /\((ENOTFOUND|EAI_AGAIN)\)/);
});

test('a wrong password, user or database is rejected with 78', async () => {
  const url = postgres.url();
  await assertRefused(
    changed(url, (to) => (to.password = 'wr0ng')),
    78,
    /rejected the user or the password/,
  );
  await assertRefused(
    changed(url, (to) => (to.username = 'nobody')),
    78,
    /rejected the user or the password/,
  );
  await assertRefused(
    changed(postgres.url(), (to) => (to.pathname = '/none')),
    78,
    /has no such database/,
  );
  await assert.rejects(
    openPostgres(
      changed(url, (to) => (to.password = '')),
      log,
      noRetry,
    ),
    /requires a password, but the URL has none/,
  );
});

/** What each of these settings makes unsuitable: a crash could undo a revoke, a transaction could fail, and so on. */
const unsuitableSettings: [statement: string, says: RegExp][] = [
  ['ALTER DATABASE {name} SET synchronous_commit = off', /synchronous_commit = off/],
  [
    "ALTER ROLE {name} SET default_transaction_isolation = 'repeatable read'",
    /default_transaction_isolation = 'repeatable read'; set it to 'read committed'/,
  ],
  ['ALTER ROLE {name} SET default_transaction_read_only = on', /allows this user only to read/],
  [
    "ALTER ROLE {name} SET session_replication_role = 'replica'",
    /session_replication_role = 'replica'.*set it to 'origin'/,
  ],
];

const unsuitable: Record<string, { options?: string; statements?: string[]; says: RegExp }> = {
  'that cannot store all names': {
    options: "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    says: /uses the encoding LATIN1 for this database/,
  },
  'in which the user may not create tables': {
    statements: ['ALTER SCHEMA public OWNER TO postgres', 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'],
    says: /does not give this user the required privileges/,
  },
};

for (const [what, { says, ...options }] of Object.entries(unsuitable)) {
  test(`a database ${what} is rejected with 78`, async (t) => {
    await assertRefused(await databaseWith(t, options), 78, says);
  });
}

test('a database with unsuitable settings is rejected with 78, and accepted without them', async (t) => {
  const url = await databaseWith(t, {});
  const name = new URL(url).username;
  const superuser = new pg.Client(postgres.url());
  await superuser.connect();
  for (const [statement, says] of unsuitableSettings) {
    await superuser.query(statement.replace('{name}', name));
    await assertRefused(url, 78, says);
    await superuser.query(`ALTER DATABASE ${name} RESET ALL; ALTER ROLE ${name} RESET ALL`);
  }
  await superuser.end();
  await (await openPostgres(url, log, noRetry)).close();
});

test('a user who lacks a privilege on a table is rejected with 78, naming both', async (t) => {
  const url = await databaseWith(t, {});
  await (await openPostgres(url, log)).close();
  const owner = new pg.Client(url);
  await owner.connect();
  for (const right of [
    'INSERT ON dead_hash',
    'DELETE ON verifier_node',
    'UPDATE ON usage_history',
    'INSERT ON webhook_delivery',
    'DELETE ON mail',
  ]) {
    await owner.query(`REVOKE ${right} FROM CURRENT_USER`);
    const says = right.replace('ON', 'on the table');
    await assertRefused(url, 78, new RegExp(`required privileges \\(${says}\\)`));
    await owner.query(`GRANT ${right} TO CURRENT_USER`);
  }
  await owner.end();
});

test('a database of another program is rejected with 65 and stays unchanged', async (t) => {
  const tables = async (url: string) => {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    await client.end();
    return rows.map(({ tablename }) => tablename);
  };
  const shop = await databaseWith(t, { statements: ['CREATE TABLE public.account (id int)'] });
  await assertRefused(shop, 65, /tables of another program/);
  assert.deepEqual(await tables(shop), ['account']);
  const own = 'CREATE TABLE kysely_migration (name text, timestamp text)';
  const kysely = await databaseWith(t, {
    statements: [
      'GRANT CREATE ON SCHEMA public TO {name}',
      `SET ROLE {name}; ${own}; INSERT INTO kysely_migration VALUES ('2020_shop', '')`,
    ],
  });
  await assertRefused(kysely, 65, /tables of another program/);
  assert.deepEqual(await tables(kysely), ['kysely_migration']);
});

test('a database of a newer version is rejected with 65, naming the unknown migration', async (t) => {
  const url = await databaseWith(t, {});
  const first = await openPostgres(url, log);
  await first.pool.query("INSERT INTO kysely_migration VALUES ('9999-time-travel', '2030-01-01')");
  await first.close();
  await assertRefused(url, 65, /newer version.*9999-time-travel/);
});

test('with sslmode the server must prove its identity', async (t) => {
  const url = await databaseWith(t, {});
  const right = certificateFile('right.crt', postgres.certificate);
  const wrong = certificateFile('wrong.crt', createCertificate().certificate);
  const warned: string[] = [];
  const hear = (warning: Error) => warned.push(warning.message);
  process.on('warning', hear);
  t.after(() => process.off('warning', hear));
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    const to = (file?: string) => `${url}?sslmode=${mode}${file === undefined ? '' : `&sslrootcert=${file}`}`;
    const database = await openPostgres(to(right), log, noRetry);
    const { rows } = await database.pool.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    assert.deepEqual(rows, [{ ssl: true }]);
    await database.close();
    await assertRefused(to(wrong), 78, /certificate of PostgreSQL is not trusted .* sslrootcert=/);
    await assertRefused(to(), 78, /certificate of PostgreSQL is not trusted/);
    await assertRefused(to(join(files, 'none.crt')), 78, /file that it names cannot be read .*none\.crt/);
  }
  assert.deepEqual(warned, [], 'nothing on stderr');
});

test('with sslmode a server without TLS is rejected with 78', async (t) => {
  // On the server of the run, which has no certificate.
  const { url, drop } = await createTemporaryDatabase();
  t.after(drop);
  const says = /does not support TLS, .*Set ssl = on there; or.*add \?sslmode=disable/;
  await assertRefused(`${url}?sslmode=require`, 78, says);
  // On Linux 0.0.0.0 also connects to this machine, but it is not a loopback address.
  const other = changed(url, (to) => (to.hostname = '0.0.0.0'));
  await assertRefused(other, 78, says);
  await (await openPostgres(`${other}?sslmode=disable`, log, noRetry)).close();
});

test('another host never receives the password unencrypted, whatever it responds', async (t) => {
  const right = certificateFile('right.crt', postgres.certificate);
  const received: Buffer[] = [];
  const listener = createServer((socket) => {
    socket.on('data', (data) => received.push(data));
    // It rejects TLS and requests the password unencrypted (AuthenticationCleartextPassword).
    socket.end(Buffer.concat([Buffer.from('N'), Buffer.from('R\0\0\0\x08\0\0\0\x03', 'latin1')]));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => listener.close());
  const { port } = z.object({ port: z.number() }).parse(listener.address());
  await assertRefused(`postgres://soku:s3cret@0.0.0.0:${port}/soku`, 78, /does not support TLS/);
  // SSLRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html).
  assert.equal(Buffer.concat(received).toString('hex'), '0000000804d2162f');
  // The certificate is checked before the user.
  const other = changed(postgres.url(), (to) => (to.hostname = '0.0.0.0'));
  await assertRefused(
    `${other}?sslrootcert=${right}`,
    78,
    /not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\).*sslmode=disable/,
  );
});

test('a canceled statement at the start is reported with its cause', async (t) => {
  const client = new pg.Client(postgres.url());
  await client.connect();
  t.after(() => client.end());
  await client.query('SET statement_timeout = 1');
  const error = await client.query('SELECT pg_sleep(10)').catch(explainConnectFailure);
  assert.ok(error instanceof StartupError && error.exitCode === 69);
  assert.match(error.message, /canceled a statement.*statement_timeout; check pg_stat_activity.*\(57014: /);
});

test('a migration has no timeout, whatever timeouts the role has', async (t) => {
  const url = await databaseWith(t, {
    statements: [
      "ALTER ROLE {name} SET statement_timeout = '200ms'",
      "ALTER ROLE {name} SET lock_timeout = '200ms'",
    ],
  });
  const other = new pg.Client(url);
  await other.connect();
  await other.query('SELECT pg_advisory_lock($1)', [advisoryLocks.migration]);
  const opening = openPostgres(url, log, noRetry);
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND clock_timestamp() - query_start > interval '500 ms'`;
  while ((await other.query(waiting)).rowCount === 0) await Promise.race([opening, turn()]);
  // Its locks end with it.
  await other.end();
  await (await opening).close();
});

test('the start waits for a database that starts a little later', async (t) => {
  const url = await databaseWith(t, {});
  await postgres.crash();
  const warned = Promise.withResolvers<string>();
  const heard = pino({ level: 'warn' }, { write: (line: string) => warned.resolve(line) });
  const opening = openPostgres(url, heard, { timeoutMs: 30_000, pauseMs: 20 });
  assert.match(
    await warned.promise,
    /PostgreSQL does not respond yet \(ECONNREFUSED\); retrying for up to 30 s/,
  );
  await postgres.start();
  await (await opening).close();
});
