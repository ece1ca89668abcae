import type { SortOrder, StatusFilter } from '@soku/contract/keys';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { hasStatus, type KeyFilter } from './list-filter.ts';
import { isAfter, type KeyPlace } from './list-order.ts';
import type { Phase } from './list-phases.ts';

// Parts of the statements of lists.

type Condition = RawBuilder<SqlBool>;

/** A table with one row for each key. */
export type JoinedTable = 'key_use' | 'key_preview';

export function idOf(table: Phase['table']): RawBuilder<unknown> {
  return sql.ref(table === 'api_key' ? 'api_key.id' : `${table}.key_id`);
}

export function isInWorkspace(table: Phase['table'], workspaceId: string): Condition {
  return sql`${sql.ref(`${table}.workspace_id`)} = ${workspaceId}`;
}

/** Selects the keys of a phase; if the place is in the phase, only those after it. */
export function isInPhase(
  { number, only, by }: Phase,
  id: RawBuilder<unknown>,
  order: SortOrder,
  after: KeyPlace | undefined,
): Condition[] {
  return [
    ...(only === undefined ? [] : [only]),
    ...(after?.phase === number ? isAfter(by, id, order, after) : []),
  ];
}

/** A value that depends on the phase of a key. */
export function valueByPhase(
  phases: readonly Phase[],
  value: (phase: Phase) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  const cases = phases.map((phase) => sql`WHEN ${phase.only ?? sql`1 = 1`} THEN ${value(phase)}`);
  return sql`CASE ${sql.join(cases, sql` `)} END`;
}

/** The tables of a FROM clause. On SQLite, CROSS JOIN reads them in this order. */
export function fromTables(joined: readonly JoinedTable[]): RawBuilder<unknown> {
  return sql.join([sql`api_key`, ...joined.map((table) => sql.table(table))], sql` CROSS JOIN `);
}

/**
 * The conditions that join tables to `api_key`. On PostgreSQL, they name the workspace, so that the planner reads only
 * its rows. On SQLite, a lookup by id is the right plan.
 *
 * @param postgres whether the statement goes to PostgreSQL
 */
export function joinConditions(
  joined: readonly JoinedTable[],
  workspaceId: string,
  postgres: boolean,
): Condition[] {
  return joined.flatMap((table) => [
    sql<SqlBool>`${idOf(table)} = api_key.id`,
    ...(postgres ? [isInWorkspace(table, workspaceId)] : []),
  ]);
}

export function revokedCondition({ status }: KeyFilter): Condition[] {
  if (status === 'all') return [];
  return status === 'revoked' ? [sql`api_key.revoked_at IS NOT NULL`] : [sql`api_key.revoked_at IS NULL`];
}

export function countIf(status: Exclude<StatusFilter, 'all'>, now: number): RawBuilder<unknown> {
  return sql`count(*) FILTER (WHERE ${hasStatus(status, now)})`;
}
