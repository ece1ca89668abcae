import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Postgres, startPostgres } from './postgres.ts';

/** A database of a test's own. */
export interface TemporaryDatabase {
  url: string;
  /** Ends all its connections and removes it. */
  drop(): Promise<void>;
}

let own: Promise<Postgres> | undefined;

/**
 * A new, empty database, whose owner may do nothing else on its server. It is on the server of the run
 * (SOKU_TEST_POSTGRES_URL: a superuser's; `npm test` sets it), or else on one that this process starts and that ends
 * with it.
 *
 * @param on a superuser's URL of another server that it shall be on
 * @param terms what follows CREATE DATABASE, such as a locale
 */
export async function temporaryDatabase(on?: string, terms = ''): Promise<TemporaryDatabase> {
  const server = on ?? process.env.SOKU_TEST_POSTGRES_URL ?? (await ownServer()).url();
  const name = `soku_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await run(
    server,
    `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`,
    `CREATE DATABASE ${name} OWNER ${name} ${terms}`,
  );
  const url = new URL(server);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => run(server, `DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`),
  };
}

function ownServer(): Promise<Postgres> {
  own ??= startPostgres();
  return own;
}

async function run(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
