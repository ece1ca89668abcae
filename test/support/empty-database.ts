import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { Kysely, PostgresDialect } from 'kysely';
import { createPool } from '../../packages/server/src/database/postgres-pool.ts';
import type { Tables } from '../../packages/server/src/database/schema.ts';
import { NodeSqliteDialect } from '../../packages/server/src/database/sqlite-dialect.ts';
import { createTemporaryDatabase } from './postgres-database.ts';

/** An empty database without any schema; removed at the end of the test. */
export async function openEmptyDatabase(
  which: 'sqlite' | 'postgres',
  t: TestContext,
): Promise<Kysely<Tables>> {
  if (which === 'sqlite') {
    const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(new DatabaseSync(':memory:')) });
    t.after(() => db.destroy());
    return db;
  }
  const { url, drop } = await createTemporaryDatabase();
  const pool = createPool({ connectionString: url });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  t.after(async () => {
    await db.destroy();
    await drop();
  });
  return db;
}
