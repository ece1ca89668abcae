import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import type { NewEvent } from '../events/events.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { secretsRetired } from './key-events.ts';

/** Number of secrets per transaction, which blocks the event loop for a few ms with SQLite. */
const batchSize = 100;

interface LapsedSecret {
  id: string;
  hash: Uint8Array;
  key_id: string;
}

/**
 * Retires secrets whose grace period has ended. Verifiers already reject them, each by its own clock. Afterwards neither a
 * clock that is set back nor a restored backup makes them valid again.
 */
export class LapsedSecrets {
  readonly #propagation: Propagation;
  readonly #now: () => number;
  #stopped = false;

  /** @param now epoch ms */
  constructor(propagation: Propagation, now: () => number) {
    this.#propagation = propagation;
    this.#now = now;
  }

  /** Retires all of them, except those of keys that are being changed. */
  async retire(): Promise<void> {
    while (!this.#stopped && (await this.#retireBatch()) === batchSize);
  }

  /** Lets a running `retire` end after the current batch. */
  stop(): void {
    this.#stopped = true;
  }

  async #retireBatch(): Promise<number> {
    const now = this.#now();
    const { value } = await this.#propagation.commit(async (db) => {
      const lapsed = await retireLapsed(db, now);
      if (lapsed.length === 0) return { value: 0 };
      const changed = { kind: 'retired', hashes: lapsed.map(({ hash }) => hash) } as const;
      return { value: lapsed.length, changed, events: await eventsOf(db, lapsed, now) };
    });
    return value;
  }
}

/**
 * Several nodes may run this at the same time, and it waits for no command: keys that are locked are skipped, and their
 * secrets retired by a later run. On PostgreSQL the clock of the database must agree, because the clock of one node may be
 * wrong and this cannot be undone.
 */
async function retireLapsed(db: Kysely<Tables>, now: number): Promise<LapsedSecret[]> {
  const [time, lock] = isPostgres(db)
    ? [
        sql`least(${now}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`,
        sql`FOR NO KEY UPDATE OF k SKIP LOCKED`,
      ]
    : [sql`${now}`, sql``];
  const { rows } = await sql<LapsedSecret>`
    WITH due AS MATERIALIZED (
      SELECT s.hash FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
      WHERE s.retired_at IS NULL AND s.retires_at <= ${time} ORDER BY s.retires_at LIMIT ${batchSize} ${lock}
    )
    UPDATE api_key_secret SET retired_at = retires_at WHERE retired_at IS NULL AND hash IN (SELECT hash FROM due)
    RETURNING id, hash, key_id`.execute(db);
  return rows;
}

async function eventsOf(
  db: Kysely<Tables>,
  lapsed: readonly LapsedSecret[],
  now: number,
): Promise<NewEvent[]> {
  const byKey = Map.groupBy(lapsed, ({ key_id }) => key_id);
  const keys = await db
    .selectFrom('api_key')
    .select(['id', 'name', 'workspace_id as workspaceId'])
    .where('id', 'in', [...byKey.keys()])
    .execute();
  return keys.flatMap((key) => {
    const secrets = byKey.get(key.id) ?? [];
    return secretsRetired({ ...key, actor: systemActor }, key, { secrets, reason: 'lapsed' }, now);
  });
}
