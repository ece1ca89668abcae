import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { quoteIdentifier } from './endpoint.ts';

/** A trigger finds the other secrets of a key with this index, for each secret that is written. */
const needed = 'api_key_secret_key';

const indexSchema = z.object({ name: z.string(), sql: z.string() });

/**
 * Drops the indexes that only speed up reading. Rows that are in the order of their table are at a random place in each
 * of these indexes, so they cost most of the time of a copy with more keys than fit into the cache.
 *
 * @returns the statements that create them again, which then sort all rows at once
 */
export function dropIndexes(database: DatabaseSync): string[] {
  // Indexes of constraints have no SQL, and unique ones are constraints.
  const rows = database
    .prepare(
      `SELECT name, sql FROM sqlite_schema
       WHERE type = 'index' AND upper(sql) NOT LIKE 'CREATE UNIQUE %' AND name <> ?`,
    )
    .all(needed);
  return z
    .array(indexSchema)
    .parse(rows)
    .map(({ name, sql }) => {
      database.exec(`DROP INDEX ${quoteIdentifier(name)}`);
      return sql;
    });
}

/**
 * Creates indexes.
 *
 * @param file of the database. What does not fit into the cache is sorted in its directory, because a container with a
 *   read-only root has no other, or only a small one in memory.
 */
export function createIndexes(database: DatabaseSync, file: string, indexes: readonly string[]): void {
  const sortIn = (directory: string) =>
    database.exec(`PRAGMA temp_store_directory = '${directory.replaceAll("'", "''")}'`);
  sortIn(dirname(file));
  try {
    for (const index of indexes) database.exec(index);
  } finally {
    sortIn('');
  }
}
