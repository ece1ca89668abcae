import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { Tables } from '../database/schema.ts';
import { errorCodeOf } from '../error-code.ts';
import { type NewEvent, toEventRows } from '../events/events.ts';
import { toHex } from '../journal/compare.ts';
import type { RevocationJournal } from '../journal/journal.ts';
import type { Clock } from './clock.ts';
import type { VerifierNode } from './node.ts';
import {
  type CommandChange,
  type CommandResult,
  isRevocationChange,
  type Propagation,
  type RevocationChange,
  revocationUndoneError,
} from './propagation.ts';

/**
 * Several processes that share a PostgreSQL database, each with its own cache. Triggers publish each change at its
 * commit. A call returns when every node has applied the change or can no longer verify from its cache
 * (docs/revocation.md).
 */
export function clusterPropagation(
  { kysely }: Pick<PostgresDatabase, 'kysely'>,
  node: Pick<VerifierNode, 'settle'>,
  clock: Clock,
  journal: Pick<RevocationJournal, 'append'>,
): Propagation {
  return {
    async commit(work) {
      const { value, changed, hashes } = await kysely.connection().execute((db) => transact(db, work));
      if (changed === undefined) return { value, effect: { nodes: 1, waitedMs: 0 } };
      const [{ nodes, waitedMs }] = await Promise.all([
        // At this point the response to the commit has arrived.
        node.settle(clock.monotonic()),
        isRevocationChange(changed) ? journal.append(hashes) : undefined,
      ]);
      return { value, effect: { nodes, waitedMs: Math.ceil(waitedMs) } };
    },
  };
}

/**
 * Runs the work in one transaction.
 *
 * @param db one connection
 * @returns the result of the work, and the hashes that it ended
 */
async function transact<T>(db: Kysely<Tables>, work: (db: Kysely<Tables>) => Promise<CommandResult<T>>) {
  try {
    await sql`BEGIN`.execute(db);
    const { value, changed, events = [] } = await work(db);
    const end = [...eventInsertion(events), ...commitStatements(changed)].join(';\n');
    const { rows } = await sql.raw<{ hash: Uint8Array }>(end).execute(db);
    return { value, changed, hashes: rows.map(({ hash }) => hash) };
  } catch (error) {
    // The rollback fails only on a broken connection, which is not reused.
    await sql`ROLLBACK`.execute(db).catch(() => undefined);
    throw undoneCodes.has(errorCodeOf(error)) ? revocationUndoneError() : error;
  }
}

/**
 * SQLSTATEs of a revoke or retirement that the database undid: division by zero, from the read-back below, and feature
 * not supported, which PostgreSQL raises for UPDATE ... RETURNING when a rule rewrites the statement.
 */
const undoneCodes = new Set(['22012', '0A000']);

/** The insertion of events as a statement without parameters, so that it can be sent together with the commit. */
function eventInsertion(events: readonly NewEvent[]): string[] {
  if (events.length === 0) return [];
  const rows = pg.escapeLiteral(JSON.stringify(toEventRows(events)));
  return [`INSERT INTO audit_event SELECT * FROM json_populate_recordset(NULL::audit_event, ${rows})`];
}

/**
 * The end of a transaction, in one round trip. The publishing triggers lock the head of the change log, and no
 * transaction may hold that lock while it waits for its process, which may be frozen. So the statements that follow
 * the triggers are sent together with the commit.
 */
function commitStatements(changed: CommandChange | undefined): string[] {
  if (!isRevocationChange(changed)) return ['COMMIT'];
  const { republish } = changed;
  return [
    ...(republish === undefined ? [] : [`SELECT soku_publish('key', ${pg.escapeLiteral(republish)}, NULL)`]),
    // Runs the deferred triggers before the read-back, including any that would undo the change at the commit.
    'SET CONSTRAINTS ALL IMMEDIATE',
    readBack(changed),
    'COMMIT',
  ];
}

/** Returns the hashes that have ended. If one has not, the division fails and aborts the transaction. */
function readBack(changed: RevocationChange): string {
  if (changed.kind === 'revoked') {
    return `SELECT s.hash, 1 / (k.revoked_at IS NOT NULL AND d.hash IS NOT NULL)::int
      FROM api_key k JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash
      WHERE k.id = ANY (ARRAY(${elementsOf(changed.ids)}))`;
  }
  return `SELECT s.hash, 1 / (s.retired_at IS NOT NULL AND d.hash IS NOT NULL)::int
    FROM (${elementsOf(changed.hashes.map(toHex))}) AS wanted (hash)
    LEFT JOIN api_key_secret s ON s.hash = decode(wanted.hash, 'hex') LEFT JOIN dead_hash d ON d.hash = s.hash`;
}

/** A query that returns these texts, without parameters. */
function elementsOf(texts: readonly string[]): string {
  return `SELECT json_array_elements_text(${pg.escapeLiteral(JSON.stringify(texts))})`;
}
