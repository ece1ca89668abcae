import { setImmediate as turn } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { DatabaseUnavailable } from '../database/unavailable.ts';

// The workspaces with a policy that the server applies by itself.

/** The column of a workspace with the days of such a policy; null: it has none. */
type PolicyColumn = 'max_key_idle' | 'max_secret_age';

/** A workspace with a policy of so many days. */
interface WorkspacePolicy {
  workspaceId: string;
  days: number;
}

/** Workspaces per statement. */
const pageSize = 200;

/** SQLSTATEs of PostgreSQL: lock_timeout and statement_timeout. */
const timeouts = ['55P03', '57014'];

interface Search {
  /** Asked before each workspace. */
  isStopped: () => boolean;
  /** Searches one workspace. */
  apply: (policy: WorkspacePolicy) => Promise<void>;
  /** Called when the search of one workspace failed, but not after a stop. */
  failed: (error: unknown, workspaceId: string) => void;
}

/**
 * Searches the workspaces with a policy, one after another.
 *
 * @throws when the database does not respond
 */
export async function searchWorkspaces(
  db: Kysely<Tables>,
  column: PolicyColumn,
  { isStopped, apply, failed }: Search,
): Promise<void> {
  for await (const policy of workspacesWithPolicy(db, column)) {
    if (isStopped()) return;
    await apply(policy).catch((error: unknown) => {
      if (concernsAll(error)) throw error;
      if (!isStopped()) failed(error, policy.workspaceId);
    });
    // SQLite answers within one turn of the event loop, and there may be many small workspaces.
    await turn();
  }
}

async function* workspacesWithPolicy(
  db: Kysely<Tables>,
  column: PolicyColumn,
): AsyncGenerator<WorkspacePolicy, void> {
  for (let after = ''; ; ) {
    const { rows } = await sql<{ id: string; days: number | string }>`
      SELECT id, ${sql.ref(column)} AS days FROM workspace
      WHERE ${sql.ref(column)} IS NOT NULL AND id > ${after} ORDER BY id LIMIT ${sql.lit(pageSize)}`.execute(
      db,
    );
    for (const { id, days } of rows) yield { workspaceId: id, days: Number(days) };
    after = rows.at(-1)?.id ?? '';
    if (rows.length < pageSize) return;
  }
}

/** Whether the workspace still has the policy. No other transaction can change it until this one ends. */
export async function lockPolicy(
  db: Kysely<Tables>,
  column: PolicyColumn,
  { workspaceId, days }: WorkspacePolicy,
): Promise<boolean> {
  await lockRow(db, 'workspace', workspaceId);
  const row = await db
    .selectFrom('workspace')
    .select([`${column} as days`, 'revoking_at'])
    .where('id', '=', workspaceId)
    .executeTakeFirst();
  return row?.days === days && row.revoking_at === null;
}

/** A workspace with a locked row, or with so many keys that reading them takes too long, must not stop the search. */
function concernsAll(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && !timeouts.includes(error.code);
}
