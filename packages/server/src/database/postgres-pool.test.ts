import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { testTimeoutMs } from '../../../../test/support/test-timeout.ts';
import { connectionTestQuery, createPool } from './postgres-pool.ts';

const database = await createTemporaryDatabase();
after(() => database.drop());

/** Terminates a connection on the server, like a timeout or an operator. */
async function terminate(pid: number): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('SELECT pg_terminate_backend($1)', [pid]);
  await client.end();
}

for (const state of ['idle', 'in a transaction'] as const) {
  test(`a connection that is terminated while ${state} does not end the process, and the next one works`, async (t) => {
    const pool = createPool({ connectionString: database.url, max: 1 });
    t.after(() => pool.end());
    const client = await pool.connect();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    // Not events.once, which also listens for errors.
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    if (state === 'idle') client.release();
    else await client.query('BEGIN');
    // Without a listener the event would end this process, and fail the test.
    await terminate(rows[0].pid);
    await ended;
    if (state !== 'idle') {
      await assert.rejects(client.query('SELECT 1'));
      client.release(true);
    }
    assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1);
  });
}

test('connections that a firewall has dropped silently fail one statement, or none if idle ones are tested first', async (t) => {
  const proxy = await TcpProxy.before(database.url);
  const config = { connectionString: proxy.url(database.url), max: 3, query_timeout: testTimeoutMs };
  const [pool, tested] = [createPool(config), createPool(config, true)];
  t.after(async () => {
    await Promise.all([pool.end(), tested.end()]);
    await proxy.close();
  });
  const fill = (one: pg.Pool) => Promise.all([1, 2, 3].map(() => one.query('SELECT 1')));
  await Promise.all([fill(pool), fill(tested)]);
  assert.deepEqual([pool.idleCount, tested.idleCount], [3, 3]);
  proxy.dropSilently();
  // Only this statement has a short timeout, because on a busy machine the others may take as long.
  const impatient: typeof connectionTestQuery = { ...connectionTestQuery, query_timeout: 500 };
  await assert.rejects(pool.query(impatient), /timeout/);
  for (let i = 0; i < 3; i += 1) await pool.query('SELECT 1');
  // A connection that was idle for a second is tested first.
  await pause(1000);
  for (let i = 0; i < 3; i += 1) await tested.query('SELECT 1');
});

test('renew() replaces each connection once, even while others are in use', async (t) => {
  const pool = createPool({ connectionString: database.url, max: 4 });
  t.after(() => pool.end());
  // Opened before the others are used, because on a busy machine one could finish before the next is open.
  const opened = await Promise.all([1, 2, 3, 4].map(() => pool.connect()));
  const processes = new Set<number>();
  for (const client of opened) {
    const { rows } = await client.query('SELECT pg_backend_pid() AS process');
    processes.add(rows[0].process);
    client.release();
  }
  // Of different lengths, so that at any time some are in use, also while another one is opened.
  const useOften = async (milliseconds: number) => {
    for (let i = 0; i < 10; i += 1) {
      const text = 'SELECT pg_backend_pid() AS process, pg_sleep($1)';
      const { rows } = await pool.query(text, [milliseconds / 1000]);
      processes.add(rows[0].process);
      if (milliseconds === 40 && i === 2) pool.renew();
    }
  };
  await Promise.all([25, 40, 55, 70].map(useOften));
  assert.ok(processes.size > 4 && processes.size <= 8, `${processes.size} connections`);
});
