import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey, hashKey } from '@soku/key';
import { sql } from 'kysely';
import { openDataDirectory } from '../../packages/server/src/database/data-directory.ts';
import type { Database } from '../../packages/server/src/database/open.ts';
import { openSqlite, type SqliteDatabase } from '../../packages/server/src/database/sqlite.ts';
import { newId } from '../../packages/server/src/ids.ts';
import { writeRevocation } from '../../packages/server/src/keys/revoke-writes.ts';
import { AddressLimits } from '../../packages/server/src/limits/address-limits.ts';
import { singleProcessPropagation } from '../../packages/server/src/propagation/single-process.ts';
import { GrantingVerifier } from '../../packages/server/src/verification/granting-verifier.ts';
import { SecretCache } from '../../packages/server/src/verification/secret-cache.ts';
import type { SecretSource } from '../../packages/server/src/verification/secret-source.ts';
import { sqliteSecrets } from '../../packages/server/src/verification/sqlite-secrets.ts';
import { VerificationCounts } from '../../packages/server/src/verification/verification-counts.ts';
import { Verifier } from '../../packages/server/src/verification/verifier.ts';
import { insertNewKey, newKey } from '../support/new-key.ts';

/** A key of the fixture. */
export interface StoredKey {
  id: string;
  apiKey: string;
  hash: Uint8Array;
  /** The hash as an SQL literal. */
  hashSql: string;
}

/** A SQLite database with revoked and active keys in two workspaces, opened as the application opens it. */
export interface SqliteFixture {
  database: SqliteDatabase;
  revoked: [StoredKey, StoredKey];
  active: [StoredKey, StoredKey];
  /** Runs statements in one transaction on the application's write connection. */
  attack(statements: readonly string[]): Promise<void>;
  /** Runs a statement outside a transaction, where pragmas take effect. */
  pragma(statement: string): Promise<void>;
  /** Returns 'accepted', the rejection code, or 'no response' if the verifier threw. */
  verify(apiKey: string): Promise<string>;
  close(): Promise<void>;
}

type Keys = Pick<SqliteFixture, 'revoked' | 'active'>;

/** Creates the database once, in a template directory; each `open` opens a new copy of it. */
export async function createSqliteFixture(): Promise<{ open(): Promise<SqliteFixture>; close(): void }> {
  const template = mkdtempSync(join(tmpdir(), 'soku-fixture-'));
  const keys = await withDatabase(template, insertKeys);
  return {
    open: () => openCopy(template, keys),
    close: () => rmSync(template, { recursive: true, force: true }),
  };
}

async function openCopy(template: string, keys: Keys): Promise<SqliteFixture> {
  const path = mkdtempSync(join(tmpdir(), 'soku-fixture-'));
  cpSync(template, path, { recursive: true });
  const directory = openDataDirectory(path);
  const database = await openSqlite(directory);
  return {
    database,
    ...keys,
    attack: (statements) =>
      database.transact(
        (connection) => {
          for (const statement of statements) connection.exec(statement);
        },
        () => undefined,
      ),
    pragma: async (statement) => {
      await sql.raw(statement).execute(database.kysely);
    },
    verify: (apiKey) =>
      verifyWithoutCache(sqliteSecrets(database.reader, database.lockMonitor, 'off'), apiKey),
    close: async () => {
      await database.close();
      directory.release();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/**
 * Verifies with a new verifier each time, so that the result never comes from a cache.
 *
 * @returns 'accepted', the rejection code, or 'no response' if the verifier threw
 */
export async function verifyWithoutCache(secrets: SecretSource, apiKey: string): Promise<string> {
  const cache = new SecretCache({ valid: 10, rejected: 10 });
  const verifier = new Verifier({
    secrets,
    lease: { holds: () => true },
    cache,
    prefixes: ['sk_live_'],
    addressLimits: new AddressLimits('off'),
    counts: new VerificationCounts(),
    failed: () => undefined,
  });
  try {
    return (await new GrantingVerifier(verifier).verifyKey(apiKey)).problem?.code ?? 'accepted';
  } catch {
    return 'no response';
  }
}

async function withDatabase<T>(path: string, work: (database: SqliteDatabase) => Promise<T>): Promise<T> {
  const directory = openDataDirectory(path);
  const database = await openSqlite(directory);
  try {
    return await work(database);
  } finally {
    await database.close();
    directory.release();
  }
}

async function insertKeys(database: SqliteDatabase): Promise<Keys> {
  for (const id of ['ws_a', 'ws_b']) {
    await database.kysely.insertInto('workspace').values({ id, name: id, created_at: 1 }).execute();
  }
  const keys: Keys = {
    revoked: [await insertActiveKey(database, 'ws_a'), await insertActiveKey(database, 'ws_b')],
    active: [await insertActiveKey(database, 'ws_a'), await insertActiveKey(database, 'ws_b')],
  };
  const propagation = singleProcessPropagation(database, new SecretCache({ valid: 1, rejected: 1 }), {
    append: async () => undefined,
    onReapplied: () => undefined,
  });
  for (const [i, workspaceId] of ['ws_a', 'ws_b'].entries()) {
    const request = { id: keys.revoked[i]?.id ?? '', workspaceId, by: 'usr_1', at: 1_700_000_000_000 };
    await propagation.commit(async (db) => {
      const change = await writeRevocation(db, { ...request, reason: null, descendants: false });
      return { value: undefined, changed: change && { kind: 'revoked', ids: change.journalKeyIds } };
    });
  }
  return keys;
}

/** Inserts an active key as the application does. */
export async function insertActiveKey(
  { kysely, kind }: Pick<Database, 'kind' | 'kysely'>,
  workspaceId: string,
): Promise<StoredKey> {
  const apiKey = generateKey();
  const hash = await hashKey(apiKey);
  const now = 1_600_000_000_000;
  const id = newId('key_', now);
  const preview = { prefix: 'sk_live_', previewStart: apiKey.slice(8, 11), previewEnd: apiKey.slice(-3) };
  const secret = { id: newId('sec_', now), hash, preview };
  await insertNewKey(kysely, newKey({ id, workspaceId, name: 'fixture', createdAt: now, secret }));
  return { id, apiKey, hash, hashSql: hashAsSql(kind, hash) };
}

function hashAsSql(kind: Database['kind'], hash: Uint8Array): string {
  const hex = Buffer.from(hash).toString('hex');
  return kind === 'sqlite' ? `x'${hex}'` : `'\\x${hex}'::bytea`;
}
