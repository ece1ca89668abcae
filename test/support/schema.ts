import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Kysely, PostgresDialect } from 'kysely';
import { migrate } from '../../packages/server/src/database/migrate.ts';
import { createPool } from '../../packages/server/src/database/postgres-pool.ts';
import { postgresTables, readPostgresSchema } from '../../packages/server/src/database/postgres-schema.ts';
import type { Tables } from '../../packages/server/src/database/schema.ts';
import {
  migrationNames,
  type Snapshot,
  snapshotSchema,
} from '../../packages/server/src/database/schema-objects.ts';
import { NodeSqliteDialect } from '../../packages/server/src/database/sqlite-dialect.ts';
import { readSqliteSchema, sqliteTables } from '../../packages/server/src/database/sqlite-schema.ts';
import { createTemporaryDatabase } from './postgres-database.ts';

/** The file with the expected schema of a database. */
export function snapshotFile(database: 'sqlite' | 'postgres'): string {
  return fileURLToPath(
    new URL(`../../packages/server/src/database/expected/${database}.json`, import.meta.url),
  );
}

/** @returns the stored schema, even if it is outdated */
export function readSnapshot(database: 'sqlite' | 'postgres'): Snapshot {
  return snapshotSchema.parse(JSON.parse(readFileSync(snapshotFile(database), 'utf8')));
}

/** The schema that the migrations create in SQLite. */
export async function sqliteSnapshot(): Promise<Snapshot> {
  const database = new DatabaseSync(':memory:');
  const kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) });
  try {
    await migrate(kysely);
    return { migrations: migrationNames(), objects: readSqliteSchema(database, sqliteTables(database)) };
  } finally {
    await kysely.destroy();
  }
}

/** The schema that the migrations create in PostgreSQL. */
export async function postgresSnapshot(): Promise<Snapshot> {
  const { url, drop } = await createTemporaryDatabase();
  const pool = createPool({ connectionString: url });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(kysely);
    const client = await pool.connect();
    try {
      const objects = await readPostgresSchema(client, await postgresTables(client));
      return { migrations: migrationNames(), objects };
    } finally {
      client.release();
    }
  } finally {
    await kysely.destroy();
    await drop();
  }
}
