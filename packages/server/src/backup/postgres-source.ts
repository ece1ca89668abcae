import type { Logger } from 'pino';
import { connectionConfig } from '../database/postgres.ts';
import { waitForPostgres } from '../database/postgres-start.ts';
import { connectWithoutTimeouts } from './postgres-client.ts';
import { postgresEndpoint } from './postgres-endpoint.ts';
import { type Source, schemaLevel } from './source.ts';

/**
 * @param url DATABASE_URL
 * @throws {StartupError} like openSource
 */
export async function openPostgresSource(url: string, log: Logger): Promise<Source> {
  const connection = connectionConfig(url);
  await waitForPostgres(connection, log);
  const client = await connectWithoutTimeouts(connection);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query(`SELECT to_regclass('kysely_migration') IS NOT NULL AS exists`);
    const applied =
      rows[0].exists === true ? (await client.query('SELECT name FROM kysely_migration')).rows : [];
    return {
      endpoint: postgresEndpoint(client),
      level: schemaLevel(
        applied.map((row) => String(row.name)),
        'The database',
      ),
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}
