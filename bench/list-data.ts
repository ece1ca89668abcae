import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { msPerDay } from '@soku/contract/instant';
import pg from 'pg';
import type { CopyEndpoint, SqlRow, SqlValue } from '../packages/server/src/backup/endpoint.ts';
import { postgresEndpoint } from '../packages/server/src/backup/postgres-endpoint.ts';
import { sqliteEndpoint } from '../packages/server/src/backup/sqlite-endpoint.ts';
import { newId } from '../packages/server/src/ids.ts';
import { Random } from '../test/support/random.ts';
import { keyAt } from './keys.ts';

/** Rows per statement. */
const slice = 5000;

const words = ['Billing', 'Checkout', 'Export', 'Importer', 'Mobile app', 'Partner', 'Search', 'Worker'];

/** Creators of keys and their shares; the rest belongs to the first. */
export const creators = { most: 'usr_most', some: 'usr_some', few: 'usr_few' };

/** Tables that lists read, in the order in which rows can be inserted. Triggers write the others. */
const tables = ['api_key', 'api_key_secret', 'usage_hour', 'last_use'] as const;
type Table = (typeof tables)[number];
type Rows = Record<Table, SqlRow[]>;

const columns: Record<Table, string[]> = {
  api_key: [
    ...['id', 'workspace_id', 'created_by', 'name', 'name_folded', 'scopes'],
    ...['expires_at', 'created_at', 'revoked_at', 'revoked_by'],
  ],
  api_key_secret: ['hash', 'key_id', 'prefix', 'preview_start', 'preview_end', 'created_at'],
  usage_hour: ['hour', 'key_id', 'hash', 'accepted', 'refused', 'last_at'],
  last_use: ['key_id', 'hash', 'at', 'address', 'agent'],
};

/** Inserts keys into a workspace: in all statuses, with different creators, scopes, expiry dates and last uses. */
export async function insertKeys(
  to: { dataDir: string } | { url: string },
  workspaceId: string,
  count: number,
): Promise<void> {
  await using target = await open(to);
  const random = new Random('1');
  const now = Date.now();
  for (let first = 0; first < count; first += slice) {
    const rows: Rows = { api_key: [], api_key_secret: [], usage_hour: [], last_use: [] };
    for (let i = first; i < Math.min(first + slice, count); i++) {
      addKey(rows, random, { workspaceId, number: i, createdAt: now - (count - i) * 60_000, now });
    }
    for (const table of tables) await target.endpoint.insert(table, columns[table], rows[table]);
    // The caller may have a connection to a server, which closes it meanwhile.
    await turn();
  }
  await target.commit();
}

function addKey(
  rows: Rows,
  random: Random,
  {
    workspaceId,
    number,
    createdAt,
    now,
  }: { workspaceId: string; number: number; createdAt: number; now: number },
): void {
  const id = newId('key_', createdAt);
  const name = `${words[random.int(0, words.length - 1)]} ${number}`;
  const secret = keyAt(number);
  const bytes = hash('sha256', secret, 'buffer');
  rows.api_key.push([
    ...[id, workspaceId, creatorOf(random), name, name.toLowerCase(), scopesOf(random)],
    ...[expiryOf(random, now), createdAt, ...(random.chance(0.3) ? [now - 1, creators.most] : [null, null])],
  ]);
  const parts = [secret.slice(0, -32), secret.slice(-32, -29), secret.slice(-3)];
  rows.api_key_secret.push([bytes, id, ...parts, createdAt]);
  const usedAt = lastUseOf(random, now);
  if (usedAt === null) return;
  rows.last_use.push([id, bytes, usedAt, '203.0.113.7', 'bench/1']);
  const hour = Math.floor(usedAt / 3_600_000);
  rows.usage_hour.push([hour, id, bytes, random.int(1, 1000), 0, usedAt]);
}

function creatorOf(random: Random): string {
  const { most, some, few } = creators;
  return random.chance(0.0005) ? few : random.chance(0.05) ? some : most;
}

function scopesOf(random: Random): string {
  if (random.chance(0.0005)) return 'audit:read';
  if (random.chance(0.1)) return 'keys:read keys:write';
  return random.chance(0.2) ? 'keys:read' : '';
}

/** Epoch ms: most keys never expire, and a tenth has expired. */
function expiryOf(random: Random, now: number): SqlValue {
  if (random.chance(0.7)) return null;
  return now + random.int(-50, 100) * msPerDay + random.int(0, msPerDay);
}

/** Epoch ms: a fifth was never used, a fifth is in use, and the others were used in the last 120 days. */
function lastUseOf(random: Random, now: number): number | null {
  if (random.chance(0.2)) return null;
  return random.chance(0.25) ? now - random.int(0, 600_000) : now - random.int(600_000, 120 * msPerDay);
}

interface Target extends AsyncDisposable {
  endpoint: CopyEndpoint;
  commit(): Promise<void>;
}

async function open(to: { dataDir: string } | { url: string }): Promise<Target> {
  if ('dataDir' in to) {
    const file = `${to.dataDir}/soku.db`;
    const database = new DatabaseSync(file, { timeout: 5000 });
    // Indexes are written at random places: without a large cache, a million keys would take half an hour.
    database.exec('PRAGMA cache_size = -1000000; BEGIN IMMEDIATE');
    return {
      endpoint: sqliteEndpoint(database, file),
      commit: async () => database.exec('COMMIT'),
      [Symbol.asyncDispose]: async () => database.close(),
    };
  }
  const client = new pg.Client(to.url);
  await client.connect();
  await client.query('BEGIN');
  return {
    endpoint: postgresEndpoint(client),
    commit: async () => {
      await client.query('COMMIT');
      // As autovacuum does within a minute.
      await client.query('ANALYZE');
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
