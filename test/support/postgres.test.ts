import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as timeout } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres } from './postgres.ts';
import { createTemporaryDatabase } from './postgres-database.ts';

const postgres = await startPostgres();
after(() => postgres.stop());

/** Opens a connection; `broken` resolves with the error that breaks it. */
async function connected(
  config: string | pg.ClientConfig,
): Promise<{ client: pg.Client; broken: Promise<Error> }> {
  const client = new pg.Client(config);
  const broken = new Promise<Error>((resolve) => client.on('error', resolve));
  await client.connect();
  return { client, broken };
}

async function query(config: string | pg.ClientConfig, statement: string): Promise<unknown[]> {
  const { client } = await connected(config);
  try {
    const { rows } = await client.query({ text: statement, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

test('a crash breaks connections, and a restart keeps all committed data', async () => {
  const { client, broken } = await connected(postgres.url());
  await client.query('CREATE TABLE kept (n int)');
  await client.query('INSERT INTO kept VALUES (1)');
  await postgres.crash();
  assert.ok((await broken) instanceof Error);
  await assert.rejects(query(postgres.url(), 'SELECT 1'), { code: 'ECONNREFUSED' });
  await postgres.start();
  assert.deepEqual(await query(postgres.url(), 'SELECT n FROM kept'), [1]);
  await postgres.restart();
  assert.deepEqual(await query(postgres.url(), 'SELECT n FROM kept'), [1]);
});

test('a paused server does not respond until it resumes', async () => {
  const { client } = await connected(postgres.url());
  await postgres.pause();
  const responses = [client.query('SELECT 1'), query(postgres.url(), 'SELECT 1')];
  // Long enough for a running server, which takes a few milliseconds.
  const first = await Promise.race([...responses, timeout(150, 'silence')]);
  postgres.resume();
  assert.equal(first, 'silence');
  await Promise.all(responses);
  await client.end();
});

test('a temporary database is empty, separate, and not owned by a superuser', async () => {
  const [one, other] = [
    await createTemporaryDatabase(postgres.url()),
    await createTemporaryDatabase(postgres.url()),
  ];
  await query(one.url, 'CREATE TABLE mine ()');
  const mine = "SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public'";
  assert.deepEqual(await query(one.url, mine), [1]);
  assert.deepEqual(await query(other.url, mine), [0]);
  assert.deepEqual(await query(one.url, "SELECT current_setting('is_superuser')"), ['off']);
  const { broken } = await connected(one.url);
  await one.drop();
  assert.ok((await broken) instanceof Error);
  await assert.rejects(query(one.url, 'SELECT 1'));
  assert.deepEqual(await query(other.url, mine), [0]);
  await other.drop();
  assert.deepEqual(
    await query(postgres.url(), "SELECT 1 FROM pg_roles WHERE rolname LIKE 'soku_test_%'"),
    [],
  );
});

test('text is sorted by a natural-language collation, not by bytes', async () => {
  const statement = "SELECT word FROM unnest(ARRAY['Zoe', 'ada', 'Bob']) AS word ORDER BY word";
  assert.deepEqual(await query(postgres.url(), statement), ['ada', 'Bob', 'Zoe']);
});

test('with TLS, the certificate is valid for the address and the host name', async () => {
  const secure = await startPostgres({ tls: true });
  const statement = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  const byName = secure.url().replace('127.0.0.1', 'localhost');
  for (const connectionString of [secure.url(), byName]) {
    const rows = await query({ connectionString, ssl: { ca: secure.certificate } }, statement);
    assert.deepEqual(rows, [true]);
  }
  await assert.rejects(query({ connectionString: secure.url(), ssl: true }, statement), /self-signed/);
  assert.deepEqual(await query(secure.url(), statement), [false]);
  await secure.stop();
});

test('settings are applied, and fsync is off without `durable`', async () => {
  assert.deepEqual(await query(postgres.url(), 'SHOW fsync'), ['off']);
  const durable = await startPostgres({ durable: true, settings: { work_mem: '3MB' } });
  assert.deepEqual(await query(durable.url(), 'SHOW fsync'), ['on']);
  assert.deepEqual(await query(durable.url(), 'SHOW work_mem'), ['3MB']);
  await durable.stop();
});

for (const state of ['running', 'paused', 'crashed']) {
  test(`a ${state} server ends when the test process ends in any way`, async () => {
    const program = `
      import { startPostgres } from ${JSON.stringify(new URL('./postgres.ts', import.meta.url).href)};
      const postgres = await startPostgres();
      if (${JSON.stringify(state)} === 'paused') await postgres.pause();
      if (${JSON.stringify(state)} === 'crashed') await postgres.crash();
      console.log(postgres.directory);
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const directory = String(line).trim();
    assert.equal(existsSync(join(directory, 'data')), true);
    assert.equal(processesIn(directory) > 0, state !== 'crashed');
    child.kill('SIGKILL');
    // The timeout of the test ends this loop.
    while (existsSync(directory)) await timeout(10);
    assert.equal(processesIn(directory), 0);
  });
}

/** Number of processes with this working directory. */
function processesIn(directory: string): number {
  const places = readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? readlinkSync(`/proc/${pid}/cwd`) : [];
    } catch {
      // The process has ended.
      return [];
    }
  });
  return places.filter((place) => place.startsWith(directory)).length;
}
