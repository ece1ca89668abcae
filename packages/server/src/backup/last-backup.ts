import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { replaceFile } from '../durable-files.ts';

/**
 * A backup is made by a command, and the metrics are the server's. So the command writes the time into the data
 * directory, and the server reads it. There are two files, because two backups at once must not undo what the other
 * one wrote.
 */
const files = { made: 'last-backup', failed: 'last-failed-backup' };

type Outcome = keyof typeof files;

const recordSchema = z.object({
  /** Epoch ms. */
  at: z.int().min(0).max(8_640_000_000_000_000),
  /** Whose backup it was: the directory of a move has both, one after the other. */
  database: z.enum(['sqlite', 'postgres']),
});
type Kind = z.infer<typeof recordSchema>['database'];

/**
 * Writes how a backup ended, and when. The files have no secret, and root may make the backups of a server that is not
 * root, so everybody who can enter the data directory can read them.
 *
 * @returns whether there is a data directory to write it to
 * @throws what the file system throws
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
 * @returns epoch ms; 0 when there was none, or its file cannot be read
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
