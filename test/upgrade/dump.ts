/** Dumps a database as SQL text that recreates it, small enough to store with a test. */
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { migrate } from '../../packages/server/src/database/migrate.ts';
import { createPool } from '../../packages/server/src/database/postgres-pool.ts';
import type { Tables } from '../../packages/server/src/database/schema.ts';

/** Separator of statements. */
const separator = ';\n\n';

/** Triggers and indexes are created after the rows, so that the rows are inserted unchanged. */
export function dumpSqlite(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const objects = database
      .prepare(`SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'`)
      .all();
    const isTable = (object: (typeof objects)[number]) => object.type === 'table';
    const tables = objects.filter(isTable);
    const rows = tables.flatMap(({ name }) => {
      const columns = database.prepare(`SELECT name FROM pragma_table_info('${name}')`).all();
      const values = columns.map((column) => `quote("${column.name}")`).join(" || ', ' || ");
      return database
        .prepare(`SELECT ${values} AS "values" FROM "${name}"`)
        .all()
        .map((row) => `INSERT INTO "${name}" VALUES (${row.values})`);
    });
    const others = objects.filter((object) => !isTable(object));
    return text([...tables.map(({ sql }) => sql), ...rows, ...others.map(({ sql }) => sql)]);
  } finally {
    database.close();
  }
}

/**
 * A dump for an empty database, whose owner need not be a superuser. Triggers are disabled while rows are inserted.
 *
 * PostgreSQL cannot print its schema as statements, and pg_dump is not among the packages. So the schema consists of
 * the statements that this version's migrations run on an empty database.
 *
 * @param empty URL of a database that gets the same tables
 */
export async function dumpPostgres(url: string, empty: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const rowsOf = async (query: string) => (await client.query<Record<string, string>>(query)).rows;
  try {
    const schema = await statementsOfMigrations(empty);
    const triggers = await rowsOf(`SELECT tgrelid::regclass AS "table", tgname AS name,
      CASE tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END AS mode
      FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`);
    const statements = [...schema];
    for (const { table, name } of triggers) statements.push(`ALTER TABLE ${table} DISABLE TRIGGER ${name}`);
    const tables = await rowsOf(`SELECT c.oid::regclass AS "table",
        string_agg(format('quote_nullable(%I::text)', attname), ' || '', '' || ' ORDER BY attnum) AS "values"
      FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY c.oid
      ORDER BY NOT EXISTS (SELECT 1 FROM pg_constraint WHERE confrelid = c.oid), c.oid`);
    for (const { table, values } of tables)
      for (const row of await rowsOf(`SELECT ${values} AS "values" FROM ${table}`))
        statements.push(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE VALUES (${row.values})`);
    for (const { name, value } of await rowsOf(
      `SELECT quote_ident(sequencename) AS name, last_value AS value FROM pg_sequences WHERE last_value IS NOT NULL`,
    ))
      statements.push(`SELECT setval('${name}', ${value})`);
    for (const { table, name, mode } of triggers)
      statements.push(`ALTER TABLE ${table} ENABLE ${mode} TRIGGER ${name}`);
    return text(statements);
  } finally {
    await client.end();
  }
}

async function statementsOfMigrations(url: string): Promise<string[]> {
  const statements: string[] = [];
  const pool = createPool({ connectionString: url });
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => {
      statements.push(query.sql);
    },
  });
  await migrate(db);
  await db.destroy();
  return statements.filter((statement) => /^(create|alter|drop|do)\b/i.test(statement.trim()));
}

function text(statements: readonly unknown[]): string {
  return statements
    .map(
      (statement) => `${String(statement).trim().replace(/;$/, '').replaceAll(/\s+\n/g, '\n')}${separator}`,
    )
    .join('');
}
