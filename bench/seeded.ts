import { hash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  globSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { startServer } from '../test/support/server.ts';
import { abbreviateCount } from './figure.ts';
import { keyAt } from './keys.ts';

/** The default maximum of a workspace. */
const keysOfWorkspace = 10_000;

const schemaRows = z.array(z.object({ type: z.string(), name: z.string(), sql: z.string() }));

/**
 * A data directory whose database has `count` keys (see keyAt), spread over workspaces, in addition to the owner's
 * empty one. Creating ten million takes minutes, so directories stay in the system's temporary directory, under a name
 * that changes with the schema; `npm run bench -- --clean` removes them.
 */
export async function seededDataDir(count: number): Promise<string> {
  const fresh = mkdtempSync(join(tmpdir(), 'soku-bench-new-'));
  try {
    await (await startServer({ dataDir: fresh })).stop();
    const schema = withDatabase(fresh, (db) => JSON.stringify(schemaOf(db)));
    const kept = join(tmpdir(), `soku-bench-${hash('sha256', schema).slice(0, 12)}-${count}`);
    if (!existsSync(kept)) {
      withDatabase(fresh, (db) => fill(db, count));
      writeThrough(join(fresh, 'soku.db'));
      renameSync(fresh, kept);
    }
    withDatabase(kept, deleteUsage);
    readThrough(join(kept, 'soku.db'));
    return kept;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The same keys, each with two scopes, and with allowed addresses that include those of the bench. */
export async function restrictedDataDir(count: number): Promise<string> {
  const plain = await seededDataDir(count);
  const kept = `${plain}-restricted`;
  if (!existsSync(kept)) {
    const fresh = mkdtempSync(join(tmpdir(), 'soku-bench-new-'));
    cpSync(plain, fresh, { recursive: true });
    // Not one list for all keys, because a server stores equal ones once.
    withDatabase(fresh, (db) =>
      db.exec(
        `UPDATE api_key SET scopes = 'files:read files:write',
         allowed_addresses = '10.' || (created_at % 200) || '.0.0/16 127.0.0.1 192.0.2.0/24'`,
      ),
    );
    writeThrough(join(fresh, 'soku.db'));
    renameSync(fresh, kept);
  }
  withDatabase(kept, deleteUsage);
  readThrough(join(kept, 'soku.db'));
  return kept;
}

/** Bytes of the database file. */
export function databaseBytes(dataDir: string): number {
  return statSync(join(dataDir, 'soku.db')).size;
}

/** Removes every database that the bench created. */
export function removeSeededDataDirs(): string[] {
  const directories = globSync('soku-bench-*', { cwd: tmpdir() }).map((name) => join(tmpdir(), name));
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  return directories;
}

function withDatabase<T>(dataDir: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(dataDir, 'soku.db'));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function schemaOf(db: DatabaseSync): z.infer<typeof schemaRows> {
  const rows = db
    .prepare('SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name')
    .all();
  return schemaRows.parse(rows);
}

/** Deletes the counts of earlier runs, so that each run starts with the same rows. */
function deleteUsage(db: DatabaseSync): void {
  db.exec(`
    DELETE FROM usage_hour; DELETE FROM usage_total; DELETE FROM usage_refusal; DELETE FROM usage_day;
    DELETE FROM usage_client; DELETE FROM usage_log; DELETE FROM usage_flush; DELETE FROM last_use; DELETE FROM rate_window;
  `);
}

/** Waits until the file is on the disk; otherwise gigabytes of pending writes would delay each commit that follows. */
function writeThrough(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** Reads a file into the system's cache, because no figure measures the disk. */
function readThrough(path: string): void {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(8 * 1024 * 1024);
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/**
 * Writes the keys. Drops indexes and triggers and recreates them at the end, and writes the secrets in the order of
 * their hashes: otherwise ten million would take hours.
 */
function fill(db: DatabaseSync, count: number): void {
  const began = performance.now();
  const schema = schemaOf(db);
  const [owner = ''] = db
    .prepare('SELECT id FROM user')
    .all()
    .map(({ id }) => z.string().parse(id));
  db.exec(`
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -500000;
    CREATE TEMP TABLE secret (hash BLOB, key_id TEXT, prefix TEXT, preview_start TEXT, preview_end TEXT, created_at INT);
  `);
  const later = schema.filter(({ type }) => type !== 'table');
  for (const { type, name } of later) db.exec(`DROP ${type} "${name}"`);
  db.exec('BEGIN');
  writeWorkspaces(db, Math.ceil(count / keysOfWorkspace));
  writeKeys(db, count, owner);
  db.exec(`
    INSERT INTO key_preview (key_id, workspace_id, preview)
    SELECT s.key_id, k.workspace_id, s.prefix || s.preview_start || '...' || s.preview_end
    FROM secret s CROSS JOIN api_key k ON k.id = s.key_id
  `);
  report(`sorting the secrets of ${abbreviateCount(count)} keys`);
  db.exec(`
    INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at, id)
    SELECT *, 'sec_' || lower(hex(randomblob(13))) FROM secret ORDER BY hash;
    COMMIT; DROP TABLE secret;
  `);
  db.exec('INSERT INTO key_use (key_id, workspace_id) SELECT id, workspace_id FROM api_key ORDER BY id');
  report('creating the indexes');
  for (const { sql } of later) db.exec(sql);
  db.exec('PRAGMA journal_mode = WAL');
  if (JSON.stringify(schemaOf(db)) !== JSON.stringify(schema)) throw new Error('the schema has changed');
  report(`${abbreviateCount(count)} keys written in ${Math.round((performance.now() - began) / 1000)} s`);
}

function writeWorkspaces(db: DatabaseSync, count: number): void {
  const insert = db.prepare('INSERT INTO workspace (id, name, created_at) VALUES (?, ?, ?)');
  for (let i = 0; i < count; i++) insert.run(benchId('ws_', i), `Workspace ${i}`, Date.now());
}

function writeKeys(db: DatabaseSync, count: number, owner: string): void {
  const insertKey = db.prepare(
    `INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
     VALUES (?, ?, ?, ?, ?, '', ?)`,
  );
  const insertSecret = db.prepare('INSERT INTO secret VALUES (?, ?, ?, ?, ?, ?)');
  const start = Date.now() - count;
  for (let i = 0; i < count; i++) {
    const key = keyAt(i);
    const id = benchId('key_', i);
    const workspace = benchId('ws_', Math.floor(i / keysOfWorkspace));
    insertKey.run(id, workspace, owner, `Integration ${i}`, `integration ${i}`, start + i);
    insertSecret.run(
      hash('sha256', key, 'buffer'),
      id,
      key.slice(0, -32),
      key.slice(-32, -29),
      key.slice(-3),
      start + i,
    );
    if ((i + 1) % 500_000 === 0) report(`${abbreviateCount(i + 1)} of ${abbreviateCount(count)} keys`);
  }
}

/** An id of the real length, in ascending order. */
export function benchId(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(26, '0')}`;
}

function report(line: string): void {
  console.error(`  ${line}`);
}
