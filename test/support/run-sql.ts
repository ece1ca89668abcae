import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import pg from 'pg';
import { databaseVariables } from './server.ts';

type Row = Record<string, unknown>;

/** Whether the servers of this run use PostgreSQL. */
export const onPostgres = process.env.SOKU_TEST_DATABASE === 'postgres';

/**
 * Runs a statement directly on the database of a server, to simulate the passage of time, damage and operators.
 *
 * @param sql for both databases: `?` for a value, names with capitals in quotes
 * @returns its rows; a change returns rows with RETURNING
 */
export async function runSql(
  { dataDir }: { dataDir: string },
  sql: string,
  ...values: SQLInputValue[]
): Promise<Row[]> {
  const { DATABASE_URL } = await databaseVariables(dataDir);
  return runSqlOn({ dataDir, env: { DATABASE_URL } }, sql, ...values);
}

/** The same, on the database in the server's own environment, as nodes that share a database have. */
export async function runSqlOn(
  { dataDir, env }: { dataDir: string; env: NodeJS.ProcessEnv },
  sql: string,
  ...values: SQLInputValue[]
): Promise<Row[]> {
  const { DATABASE_URL: url } = env;
  if (url === undefined) return inFile(join(dataDir, 'soku.db'), sql, values);
  const client = new pg.Client(url);
  await client.connect();
  try {
    let at = 0;
    return (
      await client.query(
        sql.replaceAll('?', () => `$${++at}`),
        values,
      )
    ).rows;
  } finally {
    await client.end();
  }
}

function inFile(file: string, sql: string, values: SQLInputValue[]): Row[] {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    return database.prepare(sql).all(...values);
  } finally {
    database.close();
  }
}

/** Locks the database while `work` runs: the whole file on SQLite, a table on PostgreSQL. */
export async function whileLocked(
  { dataDir }: { dataDir: string },
  table: string,
  work: () => Promise<void>,
): Promise<void> {
  const { DATABASE_URL: url } = await databaseVariables(dataDir);
  if (url === undefined) return whileFileLocked(join(dataDir, 'soku.db'), work);
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    await work();
  } finally {
    await client.end();
  }
}

async function whileFileLocked(file: string, work: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    database.exec('BEGIN IMMEDIATE');
    await work();
  } finally {
    database.close();
  }
}

/**
 * Makes updates (or insertions) of a table fail with a message while `work` runs.
 *
 * @param failure `row`: a condition on NEW; by default all rows fail
 */
export async function whileTableFails(
  server: { dataDir: string },
  {
    table,
    message,
    what = 'UPDATE',
    row = '1 = 1',
  }: { table: string; message: string; what?: 'UPDATE' | 'INSERT'; row?: string },
  work: () => Promise<void>,
): Promise<void> {
  const [create, remove] = onPostgres
    ? [
        `CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '${message}'; END $$;
         CREATE TRIGGER failing BEFORE ${what} ON ${table} FOR EACH ROW WHEN (${row}) EXECUTE FUNCTION failing()`,
        `DROP TRIGGER failing ON ${table}; DROP FUNCTION failing()`,
      ]
    : [
        `CREATE TRIGGER failing BEFORE ${what} ON ${table} WHEN ${row} BEGIN SELECT RAISE(ABORT, '${message}'); END`,
        'DROP TRIGGER failing',
      ];
  await runSql(server, create);
  try {
    await work();
  } finally {
    await runSql(server, remove);
  }
}
