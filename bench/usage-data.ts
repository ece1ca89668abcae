import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { pastDays } from '../packages/server/src/database/migrations/0024-usage-days.ts';
import { formatClients, maxClientNames } from '../packages/server/src/usage/client-counts.ts';
import { insertKeys } from './list-data.ts';

/** The number of the key that is measured. It is used every hour. */
const busiest = 20;

/** How often keys are used, by their number modulo 20: on average 3.4 hours a day. */
const isUsed = `
  n % 20 = 0
  OR (n % 20 <= 5 AND hour % 24 BETWEEN 8 AND 17 AND (hour / 24) % 7 < 5)
  OR (n % 20 BETWEEN 6 AND 13 AND hour % 24 = n % 24)
  OR (n % 20 >= 14 AND hour % 168 = n % 168)`;

/**
 * The clients of one day. Each day has other addresses, as behind mobile networks and of containers, and each week other
 * programs, so a long range has many names.
 *
 * @param count of addresses, and of programs
 */
function clientsOf(day: number, count: number): string {
  const names = (name: (number: number) => string) => ({
    counts: new Map(Array.from({ length: count }, (_, i) => [name(i), 1000 - i] as const)),
    other: count === maxClientNames ? 5000 : 0,
  });
  const week = Math.floor(day / 7);
  return formatClients({
    addresses: names((i) => (i % 2 === 0 ? `2001:db8:${day}:${i}::${day % 100}` : `10.${day % 250}.${i}.7`)),
    programs: names((i) => `worker-${i}/1.${week}`),
  });
}

/**
 * A row for each day: as many names as are kept, for the workspace and the key that is measured, and those of other keys
 * that are used every hour, and of most keys.
 */
function clientDays(from: number, to: number): string {
  const rows: string[] = [];
  for (let day = Math.floor(from / 24); day <= Math.floor(to / 24); day++)
    rows.push(
      `(${[day, ...[maxClientNames, 20, 2].map((count) => `'${clientsOf(day, count)}'`)].join(', ')})`,
    );
  return rows.join(',\n');
}

/** The constraints stay dropped: the database is only for this. */
const withoutForeignKeys = [
  'ALTER TABLE usage_hour DROP CONSTRAINT usage_hour_key_id_fkey, DROP CONSTRAINT usage_hour_hash_fkey',
  'ALTER TABLE usage_refusal DROP CONSTRAINT usage_refusal_key_id_fkey, DROP CONSTRAINT usage_refusal_workspace_id_fkey',
];

/** The statements that insert the usage of all keys in the hours from `from` to `to`. */
function statements(postgres: boolean, from: number, to: number, workspaceId: string): string[] {
  const hours = postgres
    ? `SELECT hour FROM generate_series(${from}, ${to}) AS hour`
    : `WITH RECURSIVE h (hour) AS (SELECT ${from} UNION ALL SELECT hour + 1 FROM h WHERE hour < ${to}) SELECT hour FROM h`;
  return [
    // Otherwise they would be checked for each row.
    ...(postgres ? withoutForeignKeys : ['PRAGMA foreign_keys = OFF']),
    'DELETE FROM usage_hour',
    `CREATE TEMP TABLE bench_key AS SELECT row_number() OVER (ORDER BY key_id) AS n, key_id, hash FROM api_key_secret
     WHERE key_id IN (SELECT id FROM api_key WHERE workspace_id = '${workspaceId}')`,
    `INSERT INTO usage_hour (hour, key_id, hash, accepted, refused, last_at)
     SELECT hour, key_id, hash, 1 + (hour * 7 + n) % 50, CASE WHEN (hour + n) % 10 = 0 THEN 1 ELSE 0 END, CAST(hour AS bigint) * 3600000
     FROM (${hours}) AS hours CROSS JOIN bench_key WHERE ${isUsed} ORDER BY hour, key_id`,
    `INSERT INTO usage_refusal (hour, workspace_id, key_id, code, requests)
     SELECT hour, '${workspaceId}', key_id, 'insufficient_scope', refused FROM usage_hour WHERE refused > 0`,
    `INSERT INTO usage_total (hour, workspace_id, outcome, requests)
     SELECT hour, '${workspaceId}', 'accepted', sum(accepted) FROM usage_hour GROUP BY hour
     UNION ALL SELECT hour, workspace_id, code, sum(requests) FROM usage_refusal GROUP BY 1, 2, 3`,
    ...pastDays(postgres),
    'CREATE TEMP TABLE bench_client (day integer, full_list text, part text, few text)',
    `INSERT INTO bench_client VALUES ${clientDays(from, to)}`,
    `INSERT INTO usage_client (day, owner, clients)
     SELECT day, owner, CASE WHEN n IS NULL OR n = ${busiest} THEN full_list WHEN n % 20 = 0 THEN part ELSE few END
     FROM (SELECT DISTINCT day, owner FROM usage_day) AS used JOIN bench_client USING (day)
     LEFT JOIN bench_key ON key_id = owner`,
    `UPDATE last_use SET at = CAST(${to} AS bigint) * 3600000 WHERE key_id IN (SELECT key_id FROM bench_key WHERE n % 20 < 14)`,
    ...(postgres ? ['VACUUM ANALYZE'] : []),
  ];
}

/** Inserts keys and their usage into a workspace. @returns the ID of a key that was used every hour */
export async function insertUsage(
  to: { dataDir: string } | { url: string },
  workspaceId: string,
  { keys, days }: { keys: number; days: number },
): Promise<string> {
  await insertKeys(to, workspaceId, keys);
  const hour = Math.floor(Date.now() / 3_600_000);
  const all = statements(!('dataDir' in to), hour - days * 24 + 1, hour, workspaceId);
  const find = `SELECT key_id FROM bench_key WHERE n = ${busiest}`;
  if ('dataDir' in to) {
    const database = new DatabaseSync(`${to.dataDir}/soku.db`, { timeout: 60_000 });
    // Otherwise millions of rows would take half an hour.
    database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY');
    for (const statement of all) database.exec(statement);
    const id = database.prepare(find).get()?.key_id;
    database.close();
    return String(id);
  }
  const client = new pg.Client(to.url);
  await client.connect();
  try {
    for (const statement of all) await client.query(statement);
    const { rows } = await client.query<{ key_id: string }>(find);
    return rows[0]?.key_id ?? '';
  } finally {
    await client.end();
  }
}
