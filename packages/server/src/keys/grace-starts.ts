import { type Kysely, type RawBuilder, sql } from 'kysely';
import { chunk } from '../chunk.ts';
import { isPostgres, lockAvailableKeys } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { Propagation } from '../propagation/propagation.ts';
import type { FirstUse } from '../verification/result.ts';

/** Number of uses per transaction. */
const batchSize = 200;

/**
 * First uses of new secrets, until the end of the older secrets is written. A failed write is repeated at the next call.
 * If the process crashes before it, the next use starts the grace period, so a crash can delay the end, and never brings it
 * forward.
 */
export class GraceStarts {
  readonly #propagation: Propagation;
  /** The first use of each secret, by its hash. */
  readonly #uses = new Map<string, FirstUse>();

  constructor(propagation: Propagation) {
    this.#propagation = propagation;
  }

  add(use: FirstUse): void {
    if (!this.#uses.has(use.hash)) this.#uses.set(use.hash, use);
  }

  /** Writes all uses that were added before the call, except those of keys that are being changed. */
  async write(): Promise<void> {
    for (const batch of chunk([...this.#uses.values()], batchSize)) await this.#writeBatch(batch);
  }

  async #writeBatch(uses: readonly FirstUse[]): Promise<void> {
    const { value: written } = await this.#propagation.commit(async (db) => {
      const keyIds = new Set(
        await lockAvailableKeys(
          db,
          uses.map(({ keyId }) => keyId),
        ),
      );
      const value = uses.filter(({ keyId }) => keyIds.has(keyId));
      if (value.length === 0) return { value };
      await startGraces(db, value);
      return { value, changed: { kind: 'keys', ids: [...keyIds] } };
    });
    for (const { hash } of written) this.#uses.delete(hash);
  }
}

/**
 * Writes the end of older secrets. A use of a secret starts the grace period of its own rotation, and of earlier ones whose
 * secrets were never used. A grace that another node has started is not started again.
 *
 * @param db inside a transaction that has locked the keys
 */
async function startGraces(db: Kysely<Tables>, uses: readonly FirstUse[]): Promise<void> {
  const pending = pendingGraces(db, uses);
  await sql`
    WITH pending AS (${pending}), ended AS (
      SELECT older.hash, min(pending.ends_at) AS ends_at
      FROM pending JOIN api_key_secret older ON older.key_id = pending.key_id
      WHERE older.created_at < pending.created_at AND older.retired_at IS NULL
      GROUP BY older.hash
    )
    UPDATE api_key_secret SET retires_at = ended.ends_at FROM ended
    WHERE api_key_secret.hash = ended.hash
      AND (api_key_secret.retires_at IS NULL OR api_key_secret.retires_at > ended.ends_at)`.execute(db);
  await sql`
    WITH pending AS (${pending})
    UPDATE api_key_secret SET grace_ms = NULL WHERE hash IN (SELECT hash FROM pending)`.execute(db);
}

/** A query for the secrets whose grace these uses start, each with the time at which it is over. */
function pendingGraces(db: Kysely<Tables>, uses: readonly FirstUse[]): RawBuilder<unknown> {
  const bytes = isPostgres(db) ? sql`bytea` : sql`blob`;
  const rows = uses.map(
    ({ hash, at }) => sql`(CAST(${Buffer.from(hash, 'latin1')} AS ${bytes}), CAST(${at} AS bigint))`,
  );
  return sql`
    WITH used (hash, at) AS (VALUES ${sql.join(rows)})
    SELECT g.hash, g.key_id, g.created_at, used.at + g.grace_ms AS ends_at
    FROM used JOIN api_key_secret s ON s.hash = used.hash JOIN api_key_secret g ON g.key_id = s.key_id
    WHERE g.grace_ms IS NOT NULL AND g.created_at <= s.created_at`;
}
