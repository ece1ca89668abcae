import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Postgres, startPostgres } from './postgres.ts';

/** A separate database for a test. */
export interface TemporaryDatabase {
  url: string;
  /** Terminates all its connections and removes it. */
  drop(): Promise<void>;
}

let own: Promise<Postgres> | undefined;

/**
 * Creates an empty database, whose owner has no other rights on the server. It is on the server of the run
 * (SOKU_TEST_POSTGRES_URL, a superuser's URL that `npm test` sets), or on one that this process starts and that ends
 * with it.
 *
 * @param on a superuser's URL of another server to use
 * @param options those of CREATE DATABASE, such as a locale
 */
export async function createTemporaryDatabase(on?: string, options = ''): Promise<TemporaryDatabase> {
  return create(on ?? (await testServer()), options);
}

/**
 * Prepares a database for copyDatabase. No session may connect to it from now on.
 *
 * @param url of a temporary database
 * @returns its name, which is also that of the role that owns its contents
 */
export async function prepareForCopies(url: string): Promise<string> {
  const name = new URL(url).username;
  // Otherwise REASSIGN OWNED of a copy's contents would also reassign the database itself.
  await run(await testServer(), `ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
  return name;
}

/** @param name from prepareForCopies */
export async function copyDatabase(name: string): Promise<TemporaryDatabase> {
  const server = await testServer();
  const copy = await create(server, `TEMPLATE ${name}`);
  const inside = new URL(server);
  const { username, pathname } = new URL(copy.url);
  inside.pathname = pathname;
  await run(inside.href, `REASSIGN OWNED BY ${name} TO ${username}`);
  return copy;
}

async function testServer(): Promise<string> {
  return process.env.SOKU_TEST_POSTGRES_URL ?? (await ownServer()).url();
}

async function create(server: string, options: string): Promise<TemporaryDatabase> {
  const name = `soku_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await run(
    server,
    `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`,
    // The default strategy writes each page of the copy to the write-ahead log as well.
    `CREATE DATABASE ${name} OWNER ${name} ${options} STRATEGY file_copy`,
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
