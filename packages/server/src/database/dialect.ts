import { type ColumnDataType, type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

/** Whether statements of this connection go to PostgreSQL. */
export function isPostgres<T>(db: Kysely<T>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Column types and endings that the two databases call by different names. */
export function columnTypes(db: Kysely<unknown>): {
  bytes: ColumnDataType;
  /**
   * Of ids that are compared: byte by byte, whatever language the database speaks, because they are in order of time so.
   */
  ordered: ColumnDataType | RawBuilder<unknown>;
  /** Of the auth library's own columns. */
  date: ColumnDataType;
  flag: ColumnDataType;
  /**
   * Rows lie in the index of their primary key: a look-up is one search in place of two. It also closes a way round
   * the triggers, because a table without rowids cannot be hit by REPLACE through a rowid. PostgreSQL has neither.
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

/** Behind a column: compared byte by byte, in whatever language the database sorts. On SQLite that is so anyway. */
export function bytewise(postgres: boolean): RawBuilder<unknown> {
  return postgres ? sql`COLLATE "C"` : sql``;
}

/**
 * Keeps others from changing a row until the transaction ends, so that what was read of it stays true. On SQLite a
 * transaction has the database alone from its beginning, and there is nothing to do.
 *
 * @param db inside a transaction
 */
export async function lockRow<T>(db: Kysely<T>, table: 'workspace' | 'api_key', id: string): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`SELECT 1 FROM ${sql.table(table)} WHERE id = ${id} FOR NO KEY UPDATE`.execute(db);
}

/** Numbers of advisory locks, which nobody else in the same database may use: 'soku' in ASCII, and those after it. */
export const advisoryLocks = { migration: 0x736f6b75, accounts: 0x736f6b76, sealer: 0x736f6b77 };

/**
 * Lets one transaction after the other go on from here, on any node. On SQLite that is so from their beginning.
 *
 * @param db inside a transaction
 */
export async function lockForAll<T>(db: Kysely<T>, lock: keyof typeof advisoryLocks): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks[lock]}::bigint)`.execute(db);
}

/**
 * Takes the lock for the rest of the transaction, if no other transaction on any node has it. On SQLite it is free.
 *
 * @param db inside a transaction
 */
export async function tryLockForAll<T>(db: Kysely<T>, lock: keyof typeof advisoryLocks): Promise<boolean> {
  if (!isPostgres(db)) return true;
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(${advisoryLocks[lock]}::bigint) AS locked`.execute(db);
  return rows[0]?.locked === true;
}
