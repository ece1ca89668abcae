import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from './dialect.ts';

/**
 * Many rows as a table expression with one parameter, for `INSERT ... SELECT` and joins. Thousands of parameters take
 * longer than the statement itself.
 *
 * @param columns the type of each column. Bytes are sent as text; see `decodeHexColumn`
 */
export function jsonRows<T, Name extends string>(
  db: Kysely<T>,
  columns: Readonly<Record<Name, 'text' | 'bigint'>>,
  rows: readonly Readonly<Record<Name, string | number | null>>[],
): RawBuilder<unknown> {
  const json = JSON.stringify(rows);
  const names = Object.entries<'text' | 'bigint'>(columns);
  if (isPostgres(db)) {
    const types = names.map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`);
    return sql`json_to_recordset(${json}::json) AS r (${sql.join(types)})`;
  }
  const values = names.map(([name]) => sql`value ->> ${sql.lit(name)} AS ${sql.ref(name)}`);
  return sql`(SELECT ${sql.join(values)} FROM json_each(${json})) AS r`;
}

/** Converts a column of hexadecimal digits to bytes. */
export function decodeHexColumn<T>(db: Kysely<T>, column: string): RawBuilder<Uint8Array> {
  return isPostgres(db) ? sql`decode(${sql.ref(column)}, 'hex')` : sql`unhex(${sql.ref(column)})`;
}
