/** A separate database for a test, opened as the server does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOrCreateSecret } from '../../packages/server/src/accounts/secret.ts';
import { openDataDirectory } from '../../packages/server/src/database/data-directory.ts';
import { openSqlite } from '../../packages/server/src/database/sqlite.ts';

/** @returns `close` also removes the database */
export async function openTemporarySqlite() {
  const path = mkdtempSync(join(tmpdir(), 'soku-test-'));
  const directory = openDataDirectory(path);
  const database = await openSqlite(directory);
  const close = async () => {
    await database.close();
    directory.release();
    rmSync(path, { recursive: true, force: true });
  };
  return { directory, database, close };
}

/**
 * Opens a data directory like a start, and closes it again.
 *
 * @throws {StartupError} when it cannot be used
 */
export async function openAndClose(path: string): Promise<void> {
  const directory = openDataDirectory(path);
  try {
    const database = await openSqlite(directory);
    try {
      readOrCreateSecret(undefined, directory.secretFile);
    } finally {
      await database.close();
    }
  } finally {
    directory.release();
  }
}
