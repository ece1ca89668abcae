/**
 * The first start of a server creates tables and hashes the owner's password, which takes longer than most tests. So in
 * a run of all tests only one server of each kind does that, and the others start with a copy of its data. A test file
 * that runs by itself has no such data to copy.
 */
import { cpSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../../packages/server/src/database/directory-hold.ts';
import { copyOfDatabase, type TemporaryDatabase, temporaryDatabase } from './postgres-database.ts';

/** Copies tables and owner into an empty data directory, if there is data to copy. */
export function fillDirectory(directory: string): void {
  const ready = process.env.SOKU_TEST_READY_DIRECTORY;
  if (ready === undefined) return;
  cpSync(ready, directory, { recursive: true });
  // Records that the lock covers the database; otherwise the start would wait (directory-lock.ts).
  const [lock, database] = ['lock', 'soku.db'].map((file) =>
    identityOf(statSync(join(directory, file), { bigint: true })),
  );
  writeFileSync(join(directory, 'lock.owner'), `0\n${lock} ${database}\n`);
}

/** A database with tables and owner, if there is one to copy, otherwise an empty one. */
export async function readyDatabase(): Promise<TemporaryDatabase> {
  const ready = process.env.SOKU_TEST_READY_DATABASE;
  return ready === undefined ? temporaryDatabase() : copyOfDatabase(ready);
}
