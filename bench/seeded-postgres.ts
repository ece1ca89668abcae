import { hash } from 'node:crypto';
import pg from 'pg';
import { keyAt } from './keys.ts';
import { benchId } from './seeded.ts';

/** Keys per statement. */
const slice = 5000;

/** Inserts `count` keys (see keyAt) into one workspace of a database that a server has set up. */
export async function fillPostgres(url: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`INSERT INTO workspace (id, name, created_at) VALUES ('ws_bench', 'Bench', 0)`);
    for (let start = 0; start < count; start += slice) {
      const numbers = Array.from({ length: Math.min(slice, count - start) }, (_, i) => start + i);
      const keys = numbers.map(keyAt);
      await client.query(
        `WITH new AS (
           SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[])
             AS t(id, hash, prefix, preview_start, preview_end)
         ), inserted AS (
           INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
           SELECT id, 'ws_bench', 'bench', 'Integration', 'integration', '', 0 FROM new
         )
         INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
         SELECT hash, id, prefix, preview_start, preview_end, 0 FROM new`,
        [
          numbers.map((number) => benchId('key_', number)),
          keys.map((key) => hash('sha256', key, 'buffer')),
          keys.map((key) => key.slice(0, -32)),
          keys.map((key) => key.slice(-32, -29)),
          keys.map((key) => key.slice(-3)),
        ],
      );
    }
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}
