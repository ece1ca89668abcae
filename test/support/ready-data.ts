/**
 * The first start of a server creates tables and hashes the owner's password, which takes longer than most tests. So in
 * a run of all tests only one server of each kind does that, and the others start with a copy of its data. A test file
 * that runs by itself has no such data to copy.
 */
import { cpSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileIdentity } from '../../packages/server/src/database/directory-lock-monitor.ts';
import { copyDatabase, createTemporaryDatabase, type TemporaryDatabase } from './postgres-database.ts';

/** The variables that name the data to copy, by its accounts: the owner alone, or those of two-accounts.ts. */
export const readyData = {
  one: { directory: 'SOKU_TEST_READY_DIRECTORY', database: 'SOKU_TEST_READY_DATABASE' },
  two: { directory: 'SOKU_TEST_READY_DIRECTORY_TWO', database: 'SOKU_TEST_READY_DATABASE_TWO' },
};

export type Accounts = keyof typeof readyData;

/**
 * Copies tables and accounts into an empty data directory.
 *
 * @returns whether there was data to copy
 */
export function fillDirectory(directory: string, accounts: Accounts = 'one'): boolean {
  const ready = process.env[readyData[accounts].directory];
  if (ready === undefined) return false;
  copyDirectory(ready, directory);
  return true;
}

/** Copies the data directory of a stopped server, so that a server on the copy starts without a wait. */
export function copyDirectory(from: string, directory: string): void {
  cpSync(from, directory, { recursive: true });
  // Records that the lock covers the database; otherwise the start would wait (directory-lock.ts).
  const [lock, database] = ['lock', 'soku.db'].map((file) =>
    fileIdentity(statSync(join(directory, file), { bigint: true })),
  );
  writeFileSync(join(directory, 'lock.owner'), `0\n${lock} ${database}\n`);
}

/** A database with tables and accounts, if there is one to copy, otherwise an empty one. */
export async function readyDatabase(
  accounts: Accounts = 'one',
): Promise<{ database: TemporaryDatabase; isFilled: boolean }> {
  const ready = process.env[readyData[accounts].database];
  const database = ready === undefined ? await createTemporaryDatabase() : await copyDatabase(ready);
  return { database, isFilled: ready !== undefined };
}
