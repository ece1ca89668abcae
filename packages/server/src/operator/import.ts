import { extname } from 'node:path';
import { columnOfPath } from '@soku/contract/import-table';
import type { Kysely } from 'kysely';
import type { Config } from '../config.ts';
import { readConfig } from '../config.ts';
import { openDataDirectory } from '../database/data-directory.ts';
import { DirectoryInUse } from '../database/directory-lock.ts';
import type { Tables } from '../database/schema.ts';
import { openSqlite } from '../database/sqlite.ts';
import { operatorActor } from '../events/actor.ts';
import { createLog } from '../http/logging.ts';
import { type ImportFormat, readImportFile } from '../import/file.ts';
import { type CheckedRow, checkRow } from '../import/rows.ts';
import { ImportService } from '../import/service.ts';
import { importBatchSize, type RowProblem } from '../import/writes.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { singleProcessPropagation } from '../propagation/single-process.ts';
import { exitCodes, StartupError } from '../startup-error.ts';
import {
  createIntervalCheck,
  formatCount,
  resolveOperatorPath,
  type Terminal,
  UsageError,
} from './command-line.ts';
import { openPostgresWithoutRetry } from './open-postgres.ts';
import { withPostgresErrors } from './postgres-errors.ts';

/** Maximum number of problems to list. A file with a wrong column has one for each row. */
const maxProblems = 100;

/** Time in ms between two progress lines, on a terminal and in a log. */
const progressInterval = { terminal: 1000, log: 10_000 };

/** An import is one long transaction, which no one else waits for, in ms. */
const postgresTimeouts = {
  statement_timeout: 0,
  query_timeout: 0,
  idle_in_transaction_session_timeout: 10_000,
};

interface Options {
  workspace: string | undefined;
  dryRun: boolean;
  format: string | undefined;
}

/** Where keys are imported. */
interface Target {
  db: Kysely<Tables>;
  propagation: Propagation;
  close(): Promise<void>;
}

/**
 * `import FILE`.
 *
 * @returns the exit code
 */
export async function importCommand(args: string[], options: Options, terminal: Terminal): Promise<number> {
  const [path, ...rest] = args;
  if (path === undefined || path === '' || rest.length > 0)
    throw new UsageError('This command requires exactly one file.');
  const file = resolveOperatorPath(path);
  const format = formatOf(file, options.format);
  const config = readConfig(terminal.env);
  return withPostgresErrors(config, runImport(config, { ...options, file, format, terminal }));
}

async function runImport(
  config: Config,
  options: {
    file: string;
    format: ImportFormat;
    workspace: string | undefined;
    dryRun: boolean;
    terminal: Terminal;
  },
): Promise<number> {
  const target = await openTarget(config);
  try {
    const workspaceId = await findWorkspace(target.db, options.workspace);
    return await importFile(config, target, { ...options, workspaceId });
  } finally {
    await target.close();
  }
}

function formatOf(file: string, format = extname(file).slice(1).toLowerCase()): ImportFormat {
  if (format === 'csv' || format === 'json') return format;
  throw new UsageError('The file must end in .csv or .json, or --format must be csv or json.');
}

async function importFile(
  config: Config,
  { propagation }: Target,
  {
    file,
    format,
    workspaceId,
    dryRun,
    terminal,
  }: { file: string; format: ImportFormat; workspaceId: string; dryRun: boolean; terminal: Terminal },
): Promise<number> {
  const { keyPrefixes: prefixes, testKeyPrefix: testPrefix, maxActiveKeys } = config;
  const now = Date.now();
  const imports = new ImportService(propagation, { prefixes, testPrefix, maxActiveKeys, now: () => now });
  const progress = reportProgress(terminal);
  const check = (place: number, key: unknown) => checkRow(place, key, { prefixes, testPrefix, now });
  const { imported, unchanged, problems } = await imports.run(
    { workspaceId, actor: operatorActor(), dryRun, now, maxProblems, token: null },
    () => batchesOf(file, format, check, progress),
  );
  for (const problem of problems) terminal.console.error(`soku: ${describe(problem, format)}`);
  if (problems.length > 0) {
    const count =
      problems.length === maxProblems
        ? `at least ${maxProblems} problems`
        : formatCount(problems.length, 'problem');
    terminal.console.error(`soku: Nothing was imported, because ${file} has ${count}.`);
    return exitCodes.data;
  }
  const known =
    unchanged === 0 ? '' : ` ${formatCount(unchanged, 'key')} existed already and did not change.`;
  const done = dryRun ? 'Nothing was imported (--dry-run). The file has' : 'Imported';
  terminal.console.log(
    `${done} ${formatCount(imported, dryRun ? 'new key' : 'key')}${dryRun ? '' : ` to the workspace ${workspaceId}`}.${known}`,
  );
  return 0;
}

async function* batchesOf(
  file: string,
  format: ImportFormat,
  check: (place: number, key: unknown) => CheckedRow,
  progress: (rows: number) => void,
): AsyncGenerator<CheckedRow[]> {
  let batch: CheckedRow[] = [];
  let rows = 0;
  for await (const [place, { key, problem }] of readImportFile(file, format)) {
    batch.push(
      problem === undefined ? check(place, key) : { index: place, problems: [{ path: '', problem }] },
    );
    rows += 1;
    if (batch.length < importBatchSize) continue;
    progress(rows);
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function describe({ index, path, problem }: RowProblem, format: ImportFormat): string {
  const place = format === 'csv' ? `line ${index}` : `key ${index}`;
  const field = format === 'csv' ? `column ${columnOfPath(path)}` : `field ${path}`;
  const what = path === '' ? '' : `, ${field}`;
  const text =
    problem === 'hash_unavailable' ? 'is in use elsewhere, or was revoked (hash_unavailable)' : problem;
  return `${place}${what}: ${text}`;
}

/** The file is read twice: all rows are checked before the first one is written. */
function reportProgress(terminal: Terminal): (rows: number) => void {
  const isDue = createIntervalCheck(process.stderr.isTTY ? progressInterval.terminal : progressInterval.log);
  let lastRows = 0;
  let verb = 'Checked';
  return (rows) => {
    if (rows < lastRows) verb = 'Wrote';
    lastRows = rows;
    if (isDue()) terminal.console.error(`${verb} ${formatCount(rows, 'row')}`);
  };
}

/** @param id undefined if the deployment has only one workspace */
async function findWorkspace(db: Kysely<Tables>, id: string | undefined): Promise<string> {
  const all = await db.selectFrom('workspace').select(['id', 'name']).orderBy('created_at').execute();
  const [only, ...others] = all;
  const found = id === undefined ? others.length === 0 && only : all.find((workspace) => workspace.id === id);
  if (found) return found.id;
  if (only === undefined)
    throw new StartupError(
      'data',
      'There are no accounts yet. Create one with: npm run soku -- account add EMAIL',
    );
  const names = all
    .slice(0, 20)
    .map((workspace) => `${workspace.id} (${workspace.name})`)
    .join(', ');
  throw new UsageError(`--workspace must be one of: ${names}${all.length > 20 ? ', ...' : ''}.`);
}

async function openTarget({ databaseUrl, dataDir }: Config): Promise<Target> {
  return databaseUrl === undefined ? openFile(dataDir) : openShared(databaseUrl);
}

const noCache = { evict: () => undefined, evictWorkspace: () => undefined, clear: () => undefined };
/** An import revokes nothing. */
const noJournal = {
  append: async () => undefined,
  onReapplied: () => undefined,
  keysChanged: () => undefined,
  changesMissed: () => undefined,
};

/** Takes the lock of the data directory: a running server would continue to reject keys that it has cached as unknown. */
async function openFile(dataDir: string): Promise<Target> {
  const directory = openDirectory(dataDir);
  await directory.settled();
  const database = await openSqlite(directory);
  return {
    db: database.kysely,
    propagation: singleProcessPropagation(database, noCache, noJournal),
    close: async () => {
      await database.close();
      directory.release();
    },
  };
}

function openDirectory(dataDir: string) {
  try {
    return openDataDirectory(dataDir);
  } catch (error) {
    if (!(error instanceof DirectoryInUse)) throw error;
    throw new StartupError(
      'cannotCreate',
      `${error.message} To import while the server is running, use POST /v1/api-keys/import.`,
    );
  }
}

/** This process becomes a node, with an empty cache, because nodes wait for each other. */
async function openShared(url: string): Promise<Target> {
  const log = await createLog('silent', false);
  const database = await openPostgresWithoutRetry(url, log, postgresTimeouts);
  const { createNodeRuntime } = await import('../propagation/node-runtime.ts');
  const journal: Parameters<typeof createNodeRuntime>[1]['journal'] = {
    ...noJournal,
    reapply: (identify) => identify(database.kysely),
  };
  // It accepts no requests, so it has no uses.
  const node = createNodeRuntime(database, { cache: noCache, journal, usageAge: () => 0, log });
  await node.start();
  return {
    db: database.kysely,
    propagation: node.propagation,
    close: async () => {
      await node.stop();
      await database.close();
    },
  };
}
