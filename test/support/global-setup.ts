// Resources that all tests of a run share: scripts/test.mjs calls both functions, as `node --test --test-global-setup`
// does for single files, and test processes inherit the variables that they set.

import { rmSync } from 'node:fs';
import { isBuilt, products } from '../../scripts/build.mjs';
import { type Postgres, startPostgres } from './postgres.ts';
import { prepareForCopies } from './postgres-database.ts';
import { readyData } from './ready-data.ts';
import { databaseVariables, newDataDir, root, startServer } from './server.ts';
import { addTwoAccounts } from './two-accounts.ts';

let postgres: Postgres | undefined;
const directories: string[] = [];

export async function globalSetup(): Promise<void> {
  process.env.SOKU_TEST_BUNDLE = isBuilt(root, products.server) ? 'yes' : 'no';
  postgres = await startPostgres();
  process.env.SOKU_TEST_POSTGRES_URL = postgres.url();
  await Promise.all([
    prepareDirectory(readyData.one.directory, addOwner),
    prepareDatabase(readyData.one.database, addOwner),
    prepareDirectory(readyData.two.directory, addTwoAccounts),
    prepareDatabase(readyData.two.database, addTwoAccounts),
  ]);
}

export async function globalTeardown(): Promise<void> {
  await postgres?.stop();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

type Fill = (dataDir: string) => Promise<void>;

/** @param variable for the path of a data directory with tables and accounts */
async function prepareDirectory(variable: string, fill: Fill): Promise<void> {
  const dataDir = newDataDir();
  directories.push(dataDir);
  await fill(dataDir);
  process.env[variable] = dataDir;
}

/** @param variable for the name of a database with tables and accounts */
async function prepareDatabase(variable: string, fill: Fill): Promise<void> {
  const dataDir = newDataDir();
  directories.push(dataDir);
  const { DATABASE_URL = '' } = await databaseVariables(dataDir, 'postgres');
  await fill(dataDir);
  process.env[variable] = await prepareForCopies(DATABASE_URL);
}

/** Starts a server once, which creates the tables and the owner. */
async function addOwner(dataDir: string): Promise<void> {
  const server = await startServer({ database: 'sqlite', dataDir });
  await server.stop();
}
