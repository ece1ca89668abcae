import { onPostgres, runSqlOn } from './run-sql.ts';

const padded = `substr('00000000000000000000000000' || n, length('00000000000000000000000000' || n) - 25)`;
const numbers = 'WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ';
const randomHash = onPostgres
  ? `decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')`
  : 'randomblob(32)';

/**
 * Inserts keys with random hashes into the first workspace of an account, in two statements: for tests that need far more
 * keys than they can create.
 *
 * @param count below 10^25
 */
export async function insertManyKeys(
  server: { dataDir: string; env: NodeJS.ProcessEnv },
  email: string,
  count: number,
): Promise<void> {
  const workspace = `(SELECT m.workspace_id FROM workspace_member m JOIN "user" u ON u.id = m.user_id
    WHERE u.email = ? LIMIT 1)`;
  await runSqlOn(
    server,
    `${numbers} ${count}) INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
     SELECT 'key_' || ${padded}, ${workspace}, 'usr', 'many ' || n, 'many ' || n, '', 1 FROM numbers`,
    email,
  );
  await runSqlOn(
    server,
    `${numbers} ${count})
     INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
     SELECT ${randomHash}, 'key_' || ${padded}, 'sk_live_', 'abc', 'xyz', 1 FROM numbers`,
  );
}
