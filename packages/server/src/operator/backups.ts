import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createBackup } from '../backup/backup.ts';
import type { BackupLabel } from '../backup/backup-file.ts';
import type { Progress } from '../backup/copy.ts';
import { recordBackup } from '../backup/last-backup.ts';
import { moveToPostgres, restore } from '../backup/restore.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog } from '../http/logging.ts';
import type { ReapplyResult } from '../journal/compare.ts';
import {
  createIntervalCheck,
  formatCount,
  resolveOperatorPath,
  type Terminal,
  UsageError,
} from './command-line.ts';
import { withPostgresErrors } from './postgres-errors.ts';

/** Time in ms between two progress lines. */
const progressInterval = 1000;

/** Progress is reported only for tables with at least this many rows. */
const largeTable = 10_000;

/** `backup FILE`. */
export async function backupCommand(args: string[], terminal: Terminal): Promise<void> {
  const file = onlyFile(args);
  const config = readConfig(terminal.env);
  const made = createBackup(config, file, await tools(terminal));
  const label = await recorded(config, withPostgresErrors(config, made), terminal);
  terminal.console.log(
    `Backed up ${describe(label)} to ${file} from ${await placeOf(config)}. The backup does not contain the secret that signs sessions and encrypts the signing secrets of webhooks. Store ${secretOf(config)} separately.`,
  );
}

/** Records the outcome of a backup for the server metrics. The backup is valid even if this record cannot be written. */
async function recorded<T>(config: Config, work: Promise<T>, terminal: Terminal): Promise<T> {
  const record = (outcome: 'made' | 'failed') => recordBackup(config, outcome, Date.now());
  const done = await work.catch((error) => {
    try {
      record('failed');
    } catch {
      // Writing the record often fails for the same reason as the backup, so only the backup error is reported.
    }
    throw error;
  });
  try {
    if (record('made')) return done;
    terminal.console.error(
      `The data directory ${resolve(config.dataDir)} does not exist, so the server metrics do not show this backup.`,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    terminal.console.error(`The server metrics do not show this backup (${reason}).`);
  }
  return done;
}

/** `restore FILE`. */
export async function restoreCommand(args: string[], terminal: Terminal): Promise<void> {
  const file = onlyFile(args);
  const config = readConfig(terminal.env);
  const restored = restore(config, file, await tools(terminal));
  const { label, reapplied, truncated } = await withPostgresErrors(config, restored);
  const place = await placeOf(config);
  terminal.console.log(
    `Restored ${describe(label)} from ${label.made_at} to ${place} and checked every row against ${file}. All users must sign in again.${describeJournal(reapplied, truncated)}`,
  );
  if (reapplied === undefined) {
    terminal.console.log(
      `${resolve(config.dataDir)} has no revocation journal (file revoked-hashes), so revocations after the backup were not applied again.`,
    );
  }
}

/** `move-to-postgres`. */
export async function moveCommand(args: string[], terminal: Terminal): Promise<void> {
  if (args.length > 0) throw new UsageError('move-to-postgres takes no arguments.');
  const config = readConfig(terminal.env);
  const moved = moveToPostgres(config, await tools(terminal));
  const { label, reapplied, truncated } = await withPostgresErrors(config, moved);
  const directory = resolve(config.dataDir);
  terminal.console.log(
    `Moved ${describe(label)} from ${join(directory, 'soku.db')} to ${await placeOf(config)} and checked every row against the file.${describeJournal(reapplied, truncated)}`,
  );
  const file = join(directory, 'secret');
  if (existsSync(file) && readFileSync(file, 'utf8').trim() !== config.secret) {
    terminal.console.log(
      `SOKU_SECRET differs from the secret in ${file}, so all users must sign in again, and webhooks send nothing until their signing secrets are rotated.`,
    );
  }
}

function onlyFile(args: string[]): string {
  const [file, ...rest] = args;
  if (file === undefined || file === '' || rest.length > 0) {
    throw new UsageError('This command requires exactly one file.');
  }
  return resolveOperatorPath(file);
}

/** Names the database, so that an operator notices a missing or wrong DATABASE_URL. */
async function placeOf({ databaseUrl, dataDir }: Config): Promise<string> {
  if (databaseUrl === undefined) return join(resolve(dataDir), 'soku.db');
  const { describePostgres } = await import('../backup/postgres-client.ts');
  return describePostgres(databaseUrl);
}

async function tools(terminal: Terminal) {
  return { log: await createLog('silent', false), progress: reportProgress(terminal) };
}

function reportProgress(terminal: Terminal): Progress {
  const isDue = createIntervalCheck(progressInterval);
  return (table, rows) => {
    if (rows >= largeTable && isDue()) terminal.console.error(`${table}: ${formatCount(rows, 'row')}`);
  };
}

function describe({ content }: BackupLabel): string {
  const rows = (table: string) => content[table]?.rows ?? 0;
  const keys = formatCount(rows('api_key'), 'key');
  return `${keys} (${formatCount(rows('dead_hash'), 'revoked secret')}) and ${formatCount(rows('user'), 'account')}`;
}

function describeJournal(reapplied: ReapplyResult | undefined, truncated: boolean): string {
  const end = truncated ? ' The incomplete end of the revocation journal was removed.' : '';
  if (reapplied === undefined || reapplied.hashes === 0) return end;
  return `${end} The revocation journal has later revocations: ${formatCount(reapplied.keys, 'active key')} revoked again.`;
}

function secretOf({ secret, dataDir }: { secret: string | undefined; dataDir: string }): string {
  return secret === undefined ? join(resolve(dataDir), 'secret') : 'SOKU_SECRET';
}
