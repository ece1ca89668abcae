import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../database/schema.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { appendEvents } from '../events/events.ts';
import { toHex } from '../journal/compare.ts';
import type { RevocationJournal } from '../journal/journal.ts';
import {
  type CommandChange,
  type CommandResult,
  isRevocationChange,
  type Propagation,
  type RevocationChange,
  revocationUndoneError,
  type VerifierCache,
} from './propagation.ts';

const hashRows = z.array(z.object({ hash: z.instanceof(Uint8Array) }));

/**
 * One process with one SQLite file. It evicts after the commit and before the call returns, but not necessarily in the
 * same event-loop turn: a verification in between ends before the call returns, so it may still accept the key. A cache
 * miss reads and fills the cache in one turn, so an entry that is cached after the eviction was read after the commit.
 * A process that has lost its data directory neither verifies from its cache nor changes anything, because another
 * process may use the same file (database/directory-lock-monitor.ts).
 *
 * @param cache the verifier's cache
 */
export function singleProcessPropagation(
  database: SqliteDatabase,
  cache: Pick<VerifierCache, 'evict' | 'evictWorkspace'>,
  journal: Pick<RevocationJournal, 'append' | 'onReapplied'>,
): Propagation {
  journal.onReapplied((hashes) => cache.evict(hashes));
  /** @returns the hashes of the changed keys or secrets */
  const evict = (changed: CommandChange | undefined): readonly Uint8Array[] => {
    if (changed === undefined) return [];
    if (changed.kind === 'workspace') {
      cache.evictWorkspace(changed.id);
      return [];
    }
    const hashes = changed.kind === 'retired' ? changed.hashes : hashesOf(database, changed.ids);
    cache.evict(hashes);
    return hashes;
  };
  return {
    async commit<T>(work: (db: Kysely<Tables>) => Promise<CommandResult<T>>) {
      let outcome: CommandResult<T> | undefined;
      let hashes: readonly Uint8Array[];
      try {
        outcome = await database.kysely.transaction().execute(async (db) => {
          outcome = await work(db);
          const { changed, events = [] } = outcome;
          await appendEvents(db, events);
          if (isRevocationChange(changed)) await readBack(db, changed);
          return outcome;
        });
      } finally {
        // Evict after a failure too: the commit may have succeeded before the data directory was found to be lost.
        hashes = evict(outcome?.changed);
      }
      const { value, changed } = outcome;
      // Append even if they had already ended: the earlier append may have failed.
      if (isRevocationChange(changed)) await journal.append(hashes);
      return { value, effect: { nodes: 1, waitedMs: 0 } };
    },
  };
}

/** Reads synchronously, on a connection that waits for no other. */
function hashesOf({ reader }: SqliteDatabase, ids: readonly string[]): Uint8Array[] {
  const rows = reader
    .prepare('SELECT hash FROM api_key_secret WHERE key_id IN (SELECT value FROM json_each(?))')
    .all(JSON.stringify(ids));
  return hashRows.parse(rows).map(({ hash }) => hash);
}

/** @throws {RequestError} internal_error when a key, one of its secrets, or a secret has not ended */
async function readBack(db: Kysely<Tables>, changed: RevocationChange): Promise<void> {
  const { rows } = await (changed.kind === 'revoked'
    ? unrevoked(changed.ids)
    : unretired(changed.hashes)
  ).execute(db);
  if (rows.length > 0) throw revocationUndoneError();
}

function unrevoked(ids: readonly string[]) {
  return sql`
    SELECT 1 FROM api_key k JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash
    WHERE k.id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
      AND (k.revoked_at IS NULL OR d.hash IS NULL) LIMIT 1`;
}

function unretired(hashes: readonly Uint8Array[]) {
  return sql`
    SELECT 1 FROM json_each(${JSON.stringify(hashes.map(toHex))}) wanted
    LEFT JOIN api_key_secret s ON s.hash = unhex(wanted.value) LEFT JOIN dead_hash d ON d.hash = s.hash
    WHERE s.retired_at IS NULL OR d.hash IS NULL LIMIT 1`;
}
