import { type ColumnDataType, type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { Tables } from './schema.ts';

/** Whether statements of this connection go to PostgreSQL. */
export function isPostgres<T>(db: Kysely<T>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Column types and table options whose names differ between the two databases. */
export function columnTypes(db: Kysely<unknown>): {
  bytes: ColumnDataType;
  /**
   * For IDs that are compared: ordered by bytes, whatever the collation of the database, because this is the order of
   * creation.
   */
  ordered: ColumnDataType | RawBuilder<unknown>;
  /** For the auth library's own columns. */
  date: ColumnDataType;
  flag: ColumnDataType;
  /**
   * Stores rows in the index of their primary key, so that a lookup takes one search instead of two. It also prevents
   * bypassing the triggers with REPLACE through a rowid. PostgreSQL has neither.
   */
  clustered: RawBuilder<unknown>;
} {
  return isPostgres(db)
    ? {
        bytes: 'bytea',
        ordered: sql`text COLLATE "C"`,
        date: 'timestamptz',
        flag: 'boolean',
        clustered: sql``,
      }
    : { bytes: 'blob', ordered: 'text', date: 'date', flag: 'integer', clustered: sql`without rowid` };
}

/**
 * A suffix of a column that compares it by bytes, whatever the collation of the database. SQLite does so by default.
 */
export function binaryCollation(postgres: boolean): RawBuilder<unknown> {
  return postgres ? sql`COLLATE "C"` : sql``;
}

/** The largest of several numbers, none of which is null. */
export function greatest<T>(db: Kysely<T>, numbers: readonly RawBuilder<number>[]): RawBuilder<number> {
  return sql`${sql.raw(isPostgres(db) ? 'greatest' : 'max')}(${sql.join(numbers)})`;
}

/**
 * Prevents other transactions from changing a row until this one ends. On SQLite this does nothing, because a
 * transaction has exclusive access to the database from its start.
 *
 * @param db inside a transaction
 */
export async function lockRow<T>(
  db: Kysely<T>,
  table: 'workspace' | 'api_key' | 'user',
  id: string,
): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`SELECT 1 FROM ${sql.table(table)} WHERE id = ${id} FOR NO KEY UPDATE`.execute(db);
}

/**
 * Like lockRow, for those of the rows that no other transaction has locked. So it never waits.
 *
 * @param db inside a transaction
 * @returns the ids of these rows
 */
export async function lockAvailableKeys(db: Kysely<Tables>, ids: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('api_key')
    .select('id')
    .where('id', 'in', ids)
    .$if(isPostgres(db), (query) => query.forNoKeyUpdate().skipLocked())
    .execute();
  return rows.map(({ id }) => id);
}

/** Numbers of advisory locks, reserved for Soku within its database: 'soku' in ASCII and the numbers that follow. */
export const advisoryLocks = { migration: 0x736f6b75, accounts: 0x736f6b76, sealer: 0x736f6b77 };

/**
 * Serializes transactions of all nodes from this point on. On SQLite they are serialized from their start.
 *
 * @param db inside a transaction
 */
export async function takeAdvisoryLock<T>(db: Kysely<T>, lock: keyof typeof advisoryLocks): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks[lock]}::bigint)`.execute(db);
}

/**
 * Takes the lock for the rest of the transaction if no transaction of any node holds it. On SQLite it is always free.
 *
 * @param db inside a transaction
 */
export async function tryAdvisoryLock<T>(db: Kysely<T>, lock: keyof typeof advisoryLocks): Promise<boolean> {
  if (!isPostgres(db)) return true;
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(${advisoryLocks[lock]}::bigint) AS locked`.execute(db);
  return rows[0]?.locked === true;
}
