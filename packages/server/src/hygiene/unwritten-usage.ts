import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';

/**
 * ms after which a node must have written its uses, and after which the row of a silent node is gone. Usually it takes four
 * seconds and the time of a write, which is about a second for 5,000 keys in use.
 */
const tolerated = 120_000;

/**
 * The names of the nodes that may have older uses that are not in the database: their last write of usage failed, takes
 * long, or is not reported, as by a server of an earlier version. With SQLite, the only server knows its own uses.
 */
export async function nodesWithUnwrittenUses(db: Kysely<Tables>): Promise<string[]> {
  if (!isPostgres(db)) return [];
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM verifier_node
    WHERE usage_written_at IS NULL OR usage_written_at < extract(epoch FROM clock_timestamp()) * 1000 - ${tolerated}
    ORDER BY name`.execute(db);
  return rows.map(({ name }) => name);
}
