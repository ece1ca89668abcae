import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import expected from './expected/sqlite.json' with { type: 'json' };
import { parseSnapshot, requireExpected, type SchemaObjects, tablesOf } from './schema-objects.ts';

const rowsSchema = z.array(z.object({ name: z.string(), sql: z.string() }));

/** The relevant objects of a table: itself, its triggers, and its unique indexes, which can reject rows. */
const objectsOf = `
  SELECT CASE type WHEN 'index' THEN 'unique index' ELSE type END || ' ' || name AS name, sql FROM sqlite_schema
  WHERE lower(tbl_name) = ? AND (type IN ('table', 'trigger') OR type = 'index' AND sql LIKE 'create unique%')
  ORDER BY name`;

/**
 * Compares the database with what the migrations create.
 *
 * @param file name for the message
 * @throws {StartupError} 65 when it differs
 */
export function checkSqliteSchema(database: DatabaseSync, file: string): void {
  const { objects } = parseSnapshot(expected);
  requireExpected(`The database ${file}`, objects, readSqliteSchema(database, tablesOf(objects)));
}

/** @param tables only these are read, with their triggers and unique indexes */
export function readSqliteSchema(database: DatabaseSync, tables: readonly string[]): SchemaObjects {
  // A trigger stores the name of its table as it was typed.
  const statement = database.prepare(objectsOf);
  const rows = tables.flatMap((table) => statement.all(table.toLowerCase()));
  return Object.fromEntries(rowsSchema.parse(rows).map(({ name, sql }) => [name, sql]));
}

/** The tables that the migrations create, without the bookkeeping tables of the migrations. */
export function sqliteTables(database: DatabaseSync): string[] {
  return database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'kysely_%' ORDER BY name")
    .all()
    .map((row) => String(row.name));
}
