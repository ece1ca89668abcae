import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { KyselyConnections } from './kysely-connections.ts';
import { createPool } from './postgres-pool.ts';
import { DatabaseUnavailable, StorageUnavailable } from './unavailable.ts';

const { url, drop } = await createTemporaryDatabase();
const pool = new KyselyConnections(createPool({ connectionString: url, max: 1 }));
const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
after(async () => {
  await db.destroy();
  await drop();
});

/** The error of a statement that fails with this SQLSTATE. */
async function refusedWith(state: string): Promise<unknown> {
  const statement = `DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${state}'; END $$`;
  return sql
    .raw(statement)
    .execute(db)
    .catch((error: unknown) => error);
}

test('a full disk and an I/O error of PostgreSQL are storage faults, too many connections are not', async () => {
  for (const [state, problem] of [
    ['53100', 'full'],
    ['58030', 'failed'],
  ] as const) {
    const failure = await refusedWith(state);
    assert.ok(failure instanceof StorageUnavailable, state);
    assert.equal(failure.problem, problem);
  }
  const busy = await refusedWith('53300');
  assert.ok(busy instanceof DatabaseUnavailable && !(busy instanceof StorageUnavailable));
  assert.ok(!((await refusedWith('23505')) instanceof DatabaseUnavailable));
});
