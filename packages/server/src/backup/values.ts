import { msPerDay, msPerHour } from '@soku/contract/instant';
import { keyIdSchema } from '@soku/contract/keys';
import { maxGraceSeconds } from '@soku/contract/rotation';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import { StartupError } from '../startup-error.ts';
import type { SqlRow, SqlValue } from './endpoint.ts';

type Check = (value: SqlValue) => boolean;

/** Epoch ms. The API cannot represent later times. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const isInstant: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= lastInstant;

const isHour: Check = (value) => isInstant(Number(value) * msPerHour);

const isDay: Check = (value) => isInstant(Number(value) * msPerDay);

/** Checks the values of each declared column type, except NULL. SQLite itself accepts any value. */
const types: Record<string, Check> = {
  text: (value) => typeof value === 'string',
  // Written by the auth library as ISO 8601.
  date: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  integer: Number.isSafeInteger,
  bigint: Number.isSafeInteger,
  blob: (value) => value instanceof Uint8Array,
};

/** Columns whose values the server parses. With an invalid value, the key could not be listed or revoked. */
const rules: Record<string, Check> = {
  'api_key.id': (value) => keyIdSchema.safeParse(value).success,
  'api_key.scopes': (value) => parseStoredScopes(String(value)).join(' ') === value,
  'api_key_secret.grace_ms': (value) => Number(value) >= 0 && Number(value) <= maxGraceSeconds * 1000,
  'usage_hour.hour': isHour,
  'usage_total.hour': isHour,
  'usage_refusal.hour': isHour,
  'usage_day.day': isDay,
  'usage_client.day': isDay,
};

/**
 * Creates a check for the values of a row.
 *
 * @param declared the types of the columns, in lower case
 * @returns a function that throws a {@link StartupError} 65 that names the column
 */
export function createValueCheck(
  table: string,
  columns: readonly string[],
  declared: ReadonlyMap<string, string>,
): (row: SqlRow) => void {
  const checks = columns.map((column) => {
    const isOfType = types[declared.get(column) ?? ''];
    const follows = rules[`${table}.${column}`] ?? (column.endsWith('_at') ? isInstant : undefined);
    return { column, isOfType, follows };
  });
  return (row) => {
    for (const [i, { column, isOfType, follows }] of checks.entries()) {
      const value = row[i] ?? null;
      if (value === null) continue;
      if (isOfType?.(value) !== true) throw invalidValue(table, column, 'of the wrong type');
      if (follows?.(value) === false) throw invalidValue(table, column, 'that Soku never writes');
    }
  };
}

function invalidValue(table: string, column: string, what: string): StartupError {
  return new StartupError('data', `The column ${column} of the table ${table} contains a value ${what}.`);
}
