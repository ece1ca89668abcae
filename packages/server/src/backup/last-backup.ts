import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { replaceFile } from '../durable-files.ts';

/**
 * A command creates backups, but the server reports the metrics. So the command writes the time to the data directory,
 * and the server reads it. There are two files, so that concurrent backups do not overwrite each other's outcome.
 */
const files = { made: 'last-backup', failed: 'last-failed-backup' };

type Outcome = keyof typeof files;

const recordSchema = z.object({
  /** Epoch ms. */
  at: z.int().min(0).max(8_640_000_000_000_000),
  /** The kind of database. After a move to PostgreSQL, a data directory has had both. */
  database: z.enum(['sqlite', 'postgres']),
});
type Kind = z.infer<typeof recordSchema>['database'];

/**
 * Records the outcome of a backup and its time. The files contain no secrets, and root may create the backups of a
 * server that does not run as root, so every user with access to the data directory can read them.
 *
 * @returns false if there is no data directory to write to
 * @throws errors of the file system
 */
export function recordBackup({ dataDir, databaseUrl }: Config, outcome: Outcome, at: number): boolean {
  const directory = resolve(dataDir);
  if (!existsSync(databaseUrl === undefined ? join(directory, 'soku.db') : directory)) return false;
  const database: Kind = databaseUrl === undefined ? 'sqlite' : 'postgres';
  replaceFile(join(directory, files[outcome]), `${JSON.stringify({ at, database })}\n`, 0o644);
  return true;
}

/**
 * @param database the kind that the server uses
 * @returns epoch ms; 0 if there was no such backup, or its file cannot be read
 */
export async function readLastBackups(dataDir: string, database: Kind): Promise<Record<Outcome, number>> {
  const read = async (outcome: Outcome) => {
    try {
      const text = await readFile(join(resolve(dataDir), files[outcome]), 'utf8');
      const record = recordSchema.parse(JSON.parse(text));
      return record.database === database ? record.at : 0;
    } catch {
      return 0;
    }
  };
  const [made, failed] = await Promise.all([read('made'), read('failed')]);
  return { made, failed };
}
