/**
 * A server that starts for the first time creates its tables and hashes the owner's password, which takes longer than
 * most tests. So a run of all tests lets one server of each kind do that, and the others start with a copy of its data.
 * A test file that is run by itself has none to copy.
 */
import { cpSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../../packages/server/src/database/directory-hold.ts';
import { copyOfDatabase, type TemporaryDatabase, temporaryDatabase } from './postgres-database.ts';

/** The variables with what there is to copy, by the accounts in it: the owner alone, or those of two-accounts.ts. */
export const readyData = {
  one: { directory: 'SOKU_TEST_READY_DIRECTORY', database: 'SOKU_TEST_READY_DATABASE' },
  two: { directory: 'SOKU_TEST_READY_DIRECTORY_TWO', database: 'SOKU_TEST_READY_DATABASE_TWO' },
};

export type Accounts = keyof typeof readyData;

/**
 * Puts tables and accounts into an empty data directory, if there is one to copy.
 *
 * @returns whether there was
 */
export function fillDirectory(directory: string, accounts: Accounts = 'one'): boolean {
  const ready = process.env[readyData[accounts].directory];
  if (ready === undefined) return false;
  cpSync(ready, directory, { recursive: true });
  // Which lock covers which database: a copy that nobody has covered would be waited for (directory-lock.ts).
  const [lock, database] = ['lock', 'soku.db'].map((file) =>
    identityOf(statSync(join(directory, file), { bigint: true })),
  );
  writeFileSync(join(directory, 'lock.owner'), `0\n${lock} ${database}\n`);
  return true;
}

/** A database with tables and accounts, if there is one to copy, else an empty one. */
export async function readyDatabase(
  accounts: Accounts = 'one',
): Promise<{ database: TemporaryDatabase; isFilled: boolean }> {
  const ready = process.env[readyData[accounts].database];
  const database = ready === undefined ? await temporaryDatabase() : await copyOfDatabase(ready);
  return { database, isFilled: ready !== undefined };
}
