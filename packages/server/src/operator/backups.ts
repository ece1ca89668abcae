import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeBackup } from '../backup/backup.ts';
import type { Label } from '../backup/backup-file.ts';
import type { Progress } from '../backup/copy.ts';
import { recordBackup } from '../backup/last-backup.ts';
import { moveToPostgres, restore } from '../backup/restore.ts';
import { codeOf } from '../code-of.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog } from '../http/logging.ts';
import type { Reapplied } from '../journal/compare.ts';
import { StartupError } from '../startup-error.ts';
import { counted, fileOfOperator, UsageError } from './command-line.ts';

/** ms between two lines that tell how far it is. */
const tellEvery = 1000;

/** Rows of a table that is worth such lines. */
const largeTable = 10_000;

/** `backup FILE`. */
export async function backupCommand(args: string[]): Promise<void> {
  const file = onlyFile(args);
  const config = readConfig(process.env);
  const label = await recorded(config, toldInOneLine(config, makeBackup(config, file, await tools())));
  console.log(
    `Backed up ${inWords(label)} into ${file}, from ${await placeOf(config)}. The secret that signs sessions is not in it: keep ${secretOf(config)} apart.`,
  );
}

/** Records for the server's metrics how a backup ended. A backup is as good when that cannot be written. */
async function recorded<T>(config: Config, work: Promise<T>): Promise<T> {
  const record = (outcome: 'made' | 'failed') => recordBackup(config, outcome, Date.now());
  const done = await work.catch((error) => {
    try {
      record('failed');
    } catch {
      // Often for the same reason, which is the one to report.
    }
    throw error;
  });
  try {
    if (record('made')) return done;
    console.error(
      `There is no data directory ${resolve(config.dataDir)}, so the metrics of the server do not show this.`,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`The metrics of the server do not show this backup (${reason}).`);
  }
  return done;
}

/** `restore FILE`. */
export async function restoreCommand(args: string[]): Promise<void> {
  const file = onlyFile(args);
  const config = readConfig(process.env);
  const restored = restore(config, file, await tools());
  const { label, reapplied, truncated } = await toldInOneLine(config, restored);
  const place = await placeOf(config);
  console.log(
    `Restored ${inWords(label)} of ${label.made_at} into ${place}, and checked each row against ${file}. Everybody has to sign in again.${inWordsOfJournal(reapplied, truncated)}`,
  );
  if (reapplied === undefined) {
    console.log(
      `${resolve(config.dataDir)} has no revocation journal (file revoked-hashes): revocations after the backup are not known here and were not applied again.`,
    );
  }
}

/** `move-to-postgres`. */
export async function moveCommand(args: string[]): Promise<void> {
  if (args.length > 0) throw new UsageError('There is no such command.');
  const config = readConfig(process.env);
  const moved = moveToPostgres(config, await tools());
  const { label, reapplied, truncated } = await toldInOneLine(config, moved);
  const directory = resolve(config.dataDir);
  console.log(
    `Moved ${inWords(label)} from ${join(directory, 'soku.db')} to ${await placeOf(config)}, and checked each row against the file.${inWordsOfJournal(reapplied, truncated)}`,
  );
  const file = join(directory, 'secret');
  if (existsSync(file) && readFileSync(file, 'utf8').trim() !== config.secret) {
    console.log(`SOKU_SECRET is not what ${file} has, so everybody has to sign in again.`);
  }
}

function onlyFile(args: string[]): string {
  const [file, ...rest] = args;
  if (file === undefined || file === '' || rest.length > 0) {
    throw new UsageError('This command takes one file.');
  }
  return fileOfOperator(file);
}

/** Which database it was: whoever forgot DATABASE_URL, or has another one in mind, sees it. */
async function placeOf({ databaseUrl, dataDir }: Config): Promise<string> {
  if (databaseUrl === undefined) return join(resolve(dataDir), 'soku.db');
  const { nameOf } = await import('../backup/postgres-client.ts');
  return nameOf(databaseUrl);
}

/** What PostgreSQL refuses in the midst of the work is told as it is at a start. */
async function toldInOneLine<T>({ databaseUrl }: Config, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (databaseUrl === undefined) throw error;
    const { refusedStart } = await import('../database/postgres-failures.ts');
    throw inWordsOfPostgres(refusedStart(error));
  }
}

/** What it refuses for a reason of its own, such as a full disk, has the five letters of an SQLSTATE. */
function inWordsOfPostgres(error: unknown): unknown {
  const isTheirs = error instanceof Error && /^[0-9A-Z]{5}$/.test(codeOf(error));
  // ECONNRESET and its like are longer; EPIPE has been told already.
  if (!isTheirs || error instanceof StartupError || 'syscall' in error) return error;
  return new StartupError('unavailable', `DATABASE_URL: PostgreSQL could not do it (${error.message}).`);
}

async function tools() {
  return { log: await createLog('silent', false), progress: tellNowAndThen() };
}

function tellNowAndThen(): Progress {
  let told = performance.now();
  return (table, rows) => {
    if (rows < largeTable || performance.now() - told < tellEvery) return;
    told = performance.now();
    console.error(`${table}: ${counted(rows, 'row')}`);
  };
}

function inWords({ content }: Label): string {
  const rows = (table: string) => content[table]?.rows ?? 0;
  const keys = counted(rows('api_key'), 'key');
  return `${keys} (${counted(rows('dead_hash'), 'dead secret')}) and ${counted(rows('user'), 'account')}`;
}

function inWordsOfJournal(reapplied: Reapplied | undefined, truncated: boolean): string {
  const end = truncated ? ' The end of the revocation journal was incomplete and is cut off.' : '';
  if (reapplied === undefined || reapplied.hashes === 0) return end;
  return `${end} The revocation journal has later revocations: ${counted(reapplied.keys, 'active key')} revoked again.`;
}

function secretOf({ secret, dataDir }: { secret: string | undefined; dataDir: string }): string {
  return secret === undefined ? join(resolve(dataDir), 'secret') : 'SOKU_SECRET';
}
