import { type Kysely, sql } from 'kysely';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { Tables } from '../database/schema.ts';
import { startOf } from './hours.ts';
import type { OpenUsage } from './recorder.ts';
import type { UsageStore } from './store.ts';
import { cleanUserAgent } from './user-agent.ts';

/** Usage in PostgreSQL. */
export class PostgresUsageStore implements UsageStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async write(
    usages: readonly OpenUsage[],
    _durable: boolean,
    written: (count: number) => void,
  ): Promise<void> {
    await this.#database.kysely.transaction().execute(async (db) => {
      for (const { hash, hour, keyId, accepted, refused, lastMs, address, agent } of usages) {
        const bytes = Buffer.from(hash, 'latin1');
        const at = lastMs < 0 ? null : startOf(hour) + lastMs;
        await sql`INSERT INTO usage_hour (hour, key_id, hash, accepted, refused, last_at)
          VALUES (${hour}, ${keyId}, ${bytes}, ${accepted}, ${refused}, ${at}::bigint)
          ON CONFLICT (hour, key_id, hash) DO UPDATE SET
            accepted = usage_hour.accepted + excluded.accepted, refused = usage_hour.refused + excluded.refused,
            last_at = greatest(excluded.last_at, usage_hour.last_at)`.execute(db);
        if (at === null) continue;
        await sql`INSERT INTO last_use (key_id, hash, at, address, agent)
          VALUES (${keyId}, ${bytes}, ${at}, ${address}, ${cleanUserAgent(agent)})
          ON CONFLICT (key_id, hash) DO UPDATE SET at = excluded.at, address = excluded.address,
            agent = excluded.agent WHERE excluded.at >= last_use.at`.execute(db);
      }
    });
    written(usages.length);
  }

  async undisturbed<T>(read: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.#database.kysely.connection().execute(read);
  }

  async prune(before: number): Promise<boolean> {
    await this.#database.kysely.deleteFrom('usage_hour').where('hour', '<', before).execute();
    return false;
  }
}
