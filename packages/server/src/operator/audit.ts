import { createReadStream, createWriteStream, existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { auditEventSchema } from '@soku/contract/audit';
import { msPerDay } from '@soku/contract/instant';
import { Kysely } from 'kysely';
import type { AnchoredEvent, PruneRecord } from '../audit/deletions.ts';
import { exportChains } from '../audit/export.ts';
import {
  type AuditVerification,
  addToAnchor,
  type BackdatedEvent,
  type ChainBreak,
  verifyChains,
} from '../audit/verify.ts';
import { explainDiskError } from '../backup/disk-error.ts';
import { openUntrustedSqlite } from '../backup/source.ts';
import { tableColumns } from '../backup/sqlite-endpoint.ts';
import { readConfig } from '../config.ts';
import type { Tables } from '../database/schema.ts';
import { NodeSqliteDialect } from '../database/sqlite-dialect.ts';
import { partialName, renameNoReplace } from '../durable-files.ts';
import { createLog } from '../http/logging.ts';
import { StartupError } from '../startup-error.ts';
import {
  createIntervalCheck,
  formatCount,
  resolveOperatorPath,
  type Terminal,
  UsageError,
} from './command-line.ts';
import { openPostgresWithoutRetry } from './open-postgres.ts';

/** Time in ms between two progress lines. */
const progressInterval = 1000;

/** Maximum number of backdated events to list. A clock that was wrong for a long time causes many. */
const maxBackdated = 20;

/** Exit code if the verification fails. */
const verificationFailed = 1;

interface Options {
  /** --anchor: an export to verify against. */
  anchor: string | undefined;
  /** --chain: the only chain to export. */
  chain: string | undefined;
}

/**
 * Runs the commands that begin with `audit`. Servers may be running.
 *
 * @param args the arguments after `audit`
 * @returns the exit code
 */
export async function auditCommand(
  args: string[],
  { anchor, chain }: Options,
  terminal: Terminal,
): Promise<number> {
  const [action, file, ...rest] = args;
  if (action === 'verify' && file === undefined) {
    if (chain !== undefined) throw new UsageError('--chain works only with audit export.');
    return verify(anchor, terminal);
  }
  if (action === 'export' && file !== undefined && file !== '' && rest.length === 0) {
    if (anchor !== undefined) throw new UsageError('--anchor works only with audit verify.');
    return exportTo(resolveOperatorPath(file), chain, terminal);
  }
  throw new UsageError(action === 'export' ? 'This command requires exactly one file.' : 'Unknown command.');
}

async function verify(file: string | undefined, terminal: Terminal): Promise<number> {
  const anchor = file === undefined ? new Map() : await readAnchor(resolveOperatorPath(file));
  const retention = readConfig(terminal.env).auditRetentionDays * msPerDay;
  return withLog(terminal, async (db) => {
    const expected = { anchor, retention, now: Date.now() };
    const found = await verifyChains(db, expected, reportProgress(terminal));
    report(found, terminal);
    if (found.breaks.length > 0 || found.overdue > 0) return verificationFailed;
    terminal.console.log(
      `Verified ${formatCount(found.events, 'event')} in ${formatCount(found.chains, 'chain')}.`,
    );
    if (found.unsealed > 0)
      terminal.console.log(`Not sealed yet and not verified: ${formatCount(found.unsealed, 'newer event')}.`);
    if (file === undefined)
      terminal.console.log(
        'Without --anchor FILE, this check cannot detect events deleted at either end of a chain, or a rewritten chain.',
      );
    return 0;
  });
}

function report({ pruned, backdated, breaks, overdue }: AuditVerification, { console }: Terminal): void {
  for (const record of pruned) console.log(describePruned(record));
  for (const event of backdated.slice(0, maxBackdated)) console.log(describeBackdated(event));
  for (const one of breaks) console.error(describe(one));
  if (overdue > 0)
    console.error(
      `soku: Unsealed for more than a minute: ${formatCount(overdue, 'event')}. Start a server to seal them, then verify again.`,
    );
}

/** @throws {StartupError} if the file exists, cannot be written, or would be empty. It then creates no file. */
async function exportTo(file: string, chain: string | undefined, terminal: Terminal): Promise<number> {
  if (existsSync(file)) throw exists(file);
  const partial = partialName(file);
  const progress = reportProgress(terminal);
  let events = 0;
  async function* joined(batches: AsyncIterable<string[]>) {
    for await (const lines of batches) {
      events += lines.length;
      progress(events);
      yield lines.join('');
    }
  }
  try {
    await withLog(terminal, (db) =>
      pipeline(joined(exportChains(db, chain)), createWriteStream(partial, { flags: 'wx', mode: 0o600 })),
    );
    if (chain !== undefined && events === 0)
      throw new StartupError(
        'data',
        `The audit log has no chain ${chain}. Use the id of a workspace, or accounts.`,
      );
    if (!renameNoReplace(partial, file)) throw exists(file);
  } catch (error) {
    throw explainDiskError(error, {
      failed: `The export ${file} could not be written`,
      now: 'No file was created.',
    });
  } finally {
    rmSync(partial, { force: true });
  }
  terminal.console.log(`Exported ${formatCount(events, 'event')} to ${file}.`);
  return 0;
}

function exists(file: string): StartupError {
  return new StartupError('cannotCreate', `${file} already exists. An export never overwrites a file.`);
}

function describe({ chain, sequence, id, problem }: ChainBreak): string {
  return `soku: chain ${chain}, event ${sequence}${id === null ? '' : ` (${id})`}: ${problem}.`;
}

function describePruned({ chain, through, at }: PruneRecord): string {
  return `Chain ${chain}: events 1 to ${through} were deleted by age, most recently at ${new Date(at).toISOString()}.`;
}

function describeBackdated({ chain, sequence, id, byMs }: BackdatedEvent): string {
  const minutes = Math.round(byMs / 60_000);
  return `Chain ${chain}, event ${sequence} (${id}): dated ${formatCount(minutes, 'minute')} before an event that was sealed earlier. Either a clock was set back, or the event was added later.`;
}

/** @throws {StartupError} 65 if the file is not an export */
async function readAnchor(file: string) {
  const anchor = new Map<string, Map<number, AnchoredEvent>>();
  let number = 0;
  try {
    for await (const line of linesOf(file)) {
      number += 1;
      if (line !== '') addToAnchor(anchor, auditEventSchema.parse(JSON.parse(line)));
    }
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error ? error.message : `line ${number} is not an event`;
    throw new StartupError('data', `${file} cannot be read as an audit log export (${reason}).`);
  }
  return anchor;
}

/** Splits lines at LF only, because readline also splits at U+2028, which JSON may contain. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

async function withLog<T>({ env }: Terminal, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const { databaseUrl, dataDir } = readConfig(env);
  if (databaseUrl !== undefined) {
    const database = await openPostgresWithoutRetry(databaseUrl, await createLog('silent', false));
    try {
      return await work(database.kysely);
    } finally {
      await database.close();
    }
  }
  // The file is read without changes, because a server may be using it.
  const file = join(resolve(dataDir), 'soku.db');
  const database = openUntrustedSqlite(file);
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) });
  try {
    if (tableColumns(database, file, 'audit_event').length === 0)
      throw new StartupError(
        'data',
        `${file} has no audit log yet. Start the server once, which upgrades it.`,
      );
    return await work(db);
  } finally {
    await db.destroy();
  }
}

function reportProgress({ console }: Terminal): (events: number) => void {
  const isDue = createIntervalCheck(progressInterval);
  return (events) => {
    if (isDue()) console.error(formatCount(events, 'event'));
  };
}
