/** Generates random SQL on the key tables, as a bug, a careless import or a manual edit might send it. */
import fc from 'fast-check';
import type { Database } from '../../packages/server/src/database/open.ts';
import type { StoredKey } from './sqlite-fixture.ts';

/** Columns of the four tables that decide whether a key is revoked, the primary key first. */
const tables = {
  api_key: [
    ...['id', 'workspace_id', 'created_by', 'name', 'name_folded', 'scopes', 'expires_at', 'created_at'],
    ...['environment', 'allowed_addresses', 'disabled_at', 'external_id', 'metadata', 'rate_limit'],
    ...['revoked_at', 'revoked_by', 'revoked_reason'],
  ],
  api_key_secret: [
    ...['hash', 'id', 'key_id', 'prefix', 'preview_start', 'preview_end', 'created_at'],
    ...['retires_at', 'grace_ms', 'retired_at'],
  ],
  dead_hash: ['hash'],
  workspace: [
    ...['id', 'name', 'created_at', 'rate_limit', 'max_key_lifetime', 'max_secret_age', 'revoke_leaked'],
    ...['revoking_at', 'revoking_by', 'revoking_reason'],
  ],
} as const;
type Table = keyof typeof tables;
const tableNames: readonly Table[] = ['api_key', 'api_key_secret', 'dead_hash', 'workspace'];

/** The columns by which a statement chooses its rows. */
const choosing: Record<Table, readonly string[]> = {
  api_key: ['id'],
  api_key_secret: ['hash', 'key_id'],
  dead_hash: ['hash'],
  workspace: ['id'],
};

const ids = ['{revoked0}', '{revoked1}', '{active0}', '{active1}', "'key_new'"];
const workspaces = ["'ws_a'", "'ws_b'"];
const hashes = ['{revokedHash0}', '{revokedHash1}', '{activeHash0}', '{activeHash1}', '{unusedHash}'];

/** A value that usually fits the column. */
function fittingValue(table: Table, column: string): fc.Arbitrary<string> {
  const odd = fc.constantFrom('NULL', '0', "''", '1e999', '-1', ...ids, ...hashes);
  const fitting: Record<string, readonly string[]> = {
    id: table === 'api_key' ? ids : table === 'workspace' ? workspaces : ["'sec_1'", "'sec_2'", "''"],
    key_id: ids,
    hash: hashes,
    workspace_id: workspaces,
    environment: ["'live'", "'test'"],
    allowed_addresses: ["''", "'192.0.2.0/24'"],
    disabled_at: ['NULL', '1'],
    metadata: ['NULL', `'{"a":"b"}'`],
    rate_limit: ['NULL', '0', '60'],
    max_key_lifetime: ['NULL', '30'],
    max_secret_age: ['NULL', '30'],
    revoke_leaked: ['0', '1'],
    grace_ms: ['NULL', '0', '60000'],
    revoking_at: ['NULL', '1', '1700000000000'],
    revoked_at: ['NULL', '1', '1700000000000'],
    retires_at: ['NULL', '1', '9999999999999'],
    retired_at: ['NULL', '1', '1700000000000'],
    expires_at: ['NULL', '9999999999999'],
    created_at: ['1', '2'],
    scopes: ["''", "'keys:read'"],
  };
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...(fitting[column] ?? ["'usr_1'", "'text'", '1'])) },
    { weight: 1, arbitrary: odd },
  );
}

function assignments(table: Table): fc.Arbitrary<string> {
  return fc
    .subarray<string>([...tables[table]], { minLength: 1, maxLength: Math.min(3, tables[table].length) })
    .chain((columns) =>
      fc.tuple(
        ...columns.map((column) => fittingValue(table, column).map((value) => `${column} = ${value}`)),
      ),
    )
    .map((parts) => parts.join(', '));
}

function where(table: Table): fc.Arbitrary<string> {
  const row = fc
    .constantFrom(...choosing[table])
    .chain((column) => fittingValue(table, column).map((value) => ` WHERE ${column} = ${value}`));
  return fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: fc.constant('') });
}

function insert(table: Table, conflict: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const columns: readonly string[] = tables[table];
  const value = (column: string) => fittingValue(table, column);
  const upsert = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    {
      weight: 1,
      arbitrary: assignments(table).map((set) => ` ON CONFLICT (${columns[0]}) DO UPDATE SET ${set}`),
    },
  );
  return fc
    .tuple(conflict, fc.tuple(...columns.map(value)), upsert)
    .map(
      ([or, values, then]) =>
        `INSERT ${or} INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})${then}`,
    );
}

/** Copies rows with some columns changed, as a careless import or a merge of two databases does. */
function copy(table: Table, conflict: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const columns: readonly string[] = tables[table];
  return fc
    .tuple(
      conflict,
      fc.tuple(...columns.map((column) => fc.option(fittingValue(table, column), { freq: 3 }))),
      where(table),
    )
    .map(
      ([or, values, rows]) =>
        `INSERT ${or} INTO ${table} (${columns.join(', ')}) SELECT ${columns.map((column, i) => values[i] ?? column).join(', ')} FROM ${table}${rows}`,
    );
}

/** The PostgreSQL counterpart of REPLACE. */
function merge(table: Table): fc.Arbitrary<string> {
  const [key = ''] = tables[table];
  const then = fc.oneof(
    assignments(table).map((set) => `UPDATE SET ${set}`),
    fc.constant('DELETE'),
  );
  return fc
    .tuple(fittingValue(table, key), then)
    .map(
      ([value, what]) =>
        `MERGE INTO ${table} t USING (SELECT ${value} AS ${key}) s ON t.${key} = s.${key} WHEN MATCHED THEN ${what}`,
    );
}

/** Statements that change one of the tables. `fillPlaceholders` replaces placeholders such as `{revoked0}`. */
export function changeStatements(database: Database['kind']): fc.Arbitrary<string> {
  const onPostgres = database === 'postgres';
  const conflict = onPostgres
    ? fc.constant('')
    : fc.constantFrom('', '', 'OR REPLACE', 'OR IGNORE', 'OR FAIL', 'OR ROLLBACK');
  return fc.constantFrom(...tableNames).chain((table) =>
    fc.oneof(
      fc
        .tuple(conflict, assignments(table), where(table))
        .map(([or, set, rows]) => `UPDATE ${or} ${table} SET ${set}${rows}`),
      where(table).map((rows) => `DELETE FROM ${table}${rows}`),
      insert(table, conflict),
      copy(table, conflict),
      ...(onPostgres ? [merge(table)] : []),
    ),
  );
}

/** Replaces the placeholders with the ids and hashes of these keys. */
export function fillPlaceholders(
  statement: string,
  { revoked, active }: { revoked: [StoredKey, StoredKey]; active: [StoredKey, StoredKey] },
  unusedHash: string,
): string {
  return statement
    .replaceAll('{unusedHash}', unusedHash)
    .replace(/\{(revoked|active)(Hash)?([01])\}/g, (_, kind: string, hash: string | undefined, i: string) => {
      const key = (kind === 'revoked' ? revoked : active)[i === '0' ? 0 : 1];
      return hash === undefined ? `'${key.id}'` : key.hashSql;
    });
}
