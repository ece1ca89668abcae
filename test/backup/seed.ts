import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { BackupFixture } from './fixture.ts';

/** Inserts unused keys into the database of a stopped server, so that a backup takes a while. */
export async function seed(fixture: BackupFixture, keys: number): Promise<void> {
  if (fixture.kind === 'sqlite') return seedFile(join(fixture.dataDir, 'soku.db'), keys);
  const client = new pg.Client({ connectionString: fixture.variables.DATABASE_URL });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
       SELECT 'key_' || lpad(i::text, 26, '0'), workspace.id, 'usr_x', 'seed', 'seed', '', i
       FROM generate_series(1, $1::int) AS i, workspace`,
      [keys],
    );
    await client.query(
      `INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
       SELECT sha256(i::text::bytea), 'key_' || lpad(i::text, 26, '0'), 'sk_live_', 'abc', 'xyz', i
       FROM generate_series(1, $1::int) AS i`,
      [keys],
    );
  } finally {
    await client.end();
  }
}

function seedFile(file: string, keys: number): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(`
      BEGIN;
      CREATE TEMP TABLE seed AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${keys})
        SELECT i, randomblob(32) AS hash FROM n;
      INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
        SELECT printf('key_%026d', i), workspace.id, 'usr_x', 'seed', 'seed', '', i FROM seed, workspace;
      INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
        SELECT hash, printf('key_%026d', i), 'sk_live_', 'abc', 'xyz', i FROM seed;
      COMMIT;
    `);
  } finally {
    database.close();
  }
}
