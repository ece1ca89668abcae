// Resources that all tests of a run share: `node --test --test-global-setup` calls both functions, and the test
// processes between them inherit the variables.

import { rmSync } from 'node:fs';
import { type Postgres, startPostgres } from './postgres.ts';
import { keepForCopies, temporaryDatabase } from './postgres-database.ts';
import { newDataDir, startServer, testSecret } from './server.ts';

let postgres: Postgres | undefined;

export async function globalSetup(): Promise<void> {
  postgres = await startPostgres();
  process.env.SOKU_TEST_POSTGRES_URL = postgres.url();
  const [directory, database] = await Promise.all([prepareDirectory(), prepareDatabase()]);
  process.env.SOKU_TEST_READY_DIRECTORY = directory;
  process.env.SOKU_TEST_READY_DATABASE = database;
}

export async function globalTeardown(): Promise<void> {
  await postgres?.stop();
  const directory = process.env.SOKU_TEST_READY_DIRECTORY;
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
}

/** @returns a data directory with tables and owner */
async function prepareDirectory(): Promise<string> {
  const dataDir = newDataDir();
  const server = await startServer({ database: 'sqlite', dataDir });
  await server.stop();
  return dataDir;
}

/** @returns the name of a database with tables and owner */
async function prepareDatabase(): Promise<string> {
  const { url } = await temporaryDatabase();
  const server = await startServer({
    database: 'sqlite',
    env: { DATABASE_URL: url, SOKU_SECRET: testSecret },
  });
  await server.stop();
  return keepForCopies(url);
}
