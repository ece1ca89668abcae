import type { ImportFieldProblem } from '@soku/contract/imports';
import { type Kysely, sql } from 'kysely';
import { isPostgres, lockRow } from '../database/dialect.ts';
import { foldName } from '../database/fold-name.ts';
import { decodeHexColumn, jsonRows } from '../database/json-rows.ts';
import type { Tables } from '../database/schema.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import { type ExpiryRules, expiryOfNewKey } from '../keys/expiry.ts';
import { readRevokeMark } from '../keys/revoke-all-writes.ts';
import { countActive, expiryRulesOf, policyColumns } from '../keys/writes.ts';
import { readGrantCheck, unknownGrant } from '../scopes/catalog.ts';
import { StartupError } from '../startup-error.ts';
import type { CheckedRow, ImportedKey } from './rows.ts';

// The writes of an import. Call each function inside the transaction of its command.

/** Rows per statement. Verification with a SQLite file waits for each statement, about 10 ms. */
export const importBatchSize = 200;

/** What an import does, and for whom. */
export interface ImportRequest {
  workspaceId: string;
  /** The ID of an account, or `operator`. */
  createdBy: string;
  /** Maximum number of active keys in the workspace. */
  maxActiveKeys: number;
  /** Only checks. */
  dryRun: boolean;
  /** Epoch ms. */
  now: number;
}

/** The rows of an import, in batches of at most `importBatchSize`. They are read twice. */
export type RowSource = () => AsyncIterable<readonly CheckedRow[]> | Iterable<readonly CheckedRow[]>;

/** A problem of a row. */
export interface RowProblem extends ImportFieldProblem {
  index: number;
}

export interface ImportOutcome {
  imported: number;
  unchanged: number;
  /** If there are any, nothing was written. */
  problems: readonly RowProblem[];
  /** IDs of the new keys. */
  ids: readonly string[];
}

/**
 * Imports all rows, or none if one of them has a problem.
 *
 * @param maxProblems reading ends when this many problems were found
 * @param begun called with the row of the workspace locked, before anything is read
 * @returns undefined if the workspace would have more than the maximum number of active keys, even if rows have problems
 */
export async function writeImport(
  db: Kysely<Tables>,
  request: ImportRequest,
  source: RowSource,
  maxProblems: number,
  begun: () => Promise<void>,
): Promise<ImportOutcome | undefined> {
  const { workspaceId, now } = request;
  // Concurrent creations in the workspace wait for this lock and then count these keys.
  await lockRow(db, 'workspace', workspaceId);
  await begun();
  if ((await readRevokeMark(db, workspaceId)) !== undefined) throw keysBeingRevoked();
  const rules = await expiryRulesOf(db, workspaceId);
  const isKnownGrant = await readGrantCheck(db, workspaceId);
  const options = { workspaceId, rules, isKnownGrant, now, maxProblems };
  const plan = await planImport(db, options, source);
  const active = await countActive(db, workspaceId, now);
  if (active + plan.added.size > request.maxActiveKeys) return undefined;
  const counts = { imported: plan.added.size, unchanged: plan.unchanged, problems: [], ids: [] };
  if (plan.problems.length > 0)
    return { ...counts, imported: 0, problems: plan.problems.slice(0, maxProblems) };
  if (request.dryRun || plan.added.size === 0) return counts;
  const ids: string[] = [];
  for await (const rows of source()) {
    const added = rows.flatMap(({ key }) => (key !== undefined && plan.added.delete(key.hash) ? [key] : []));
    ids.push(...(await insertKeys(db, request, added, rules)));
  }
  // The rows are the same as before, unless a file has been changed meanwhile.
  if (plan.added.size > 0)
    throw new StartupError('data', 'The file was changed during the import. Nothing was imported.');
  return { ...counts, ids };
}

interface PlanOptions {
  workspaceId: string;
  rules: ExpiryRules;
  /** Whether the scope catalog permits a grant. */
  isKnownGrant: (grant: string) => boolean;
  maxProblems: number;
  /** Epoch ms. */
  now: number;
}

/** What an import would do. */
class Plan {
  /** Hashes of the keys to add. */
  readonly added = new Set<string>();
  readonly problems: RowProblem[] = [];
  unchanged = 0;
  /** The hashes of all rows so far. */
  readonly #known = new Set<string>();
  readonly #options: PlanOptions;

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  /** @param stored the state of each hash that the database has */
  add({ index, key, problems: invalid }: CheckedRow, stored: StoredHashes): void {
    const problems = invalid ?? this.#problemsOf(key, stored);
    for (const problem of problems) this.problems.push({ index, ...problem });
    if (key === undefined) return;
    this.#known.add(key.hash);
    if (problems.length > 0) return;
    if (stored.has(key.hash)) this.unchanged += 1;
    else this.added.add(key.hash);
  }

  /** The problems of a key that depend on other rows, or on the database. */
  #problemsOf(key: ImportedKey, stored: StoredHashes): ImportFieldProblem[] {
    if (this.#known.has(key.hash)) return [{ path: 'hash', problem: 'must not occur twice in an import' }];
    const state = stored.get(key.hash);
    if (state !== undefined)
      return state === 'unchanged' ? [] : [{ path: 'hash', problem: 'hash_unavailable' }];
    const { isKnownGrant, rules, now } = this.#options;
    const unknown = key.scopes.flatMap((grant, i) =>
      isKnownGrant(grant) ? [] : [{ path: `scopes.${i}`, problem: unknownGrant(grant) }],
    );
    return [...unknown, ...problemsOfExpiry(key, rules, now)];
  }
}

function problemsOfExpiry(key: ImportedKey, rules: ExpiryRules, now: number): ImportFieldProblem[] {
  try {
    expiryOf(key, rules, now);
    return [];
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return (error.problem.details ?? []).map(({ path, problem }) => ({ path, problem }));
  }
}

/** @throws {RequestError} invalid_request */
function expiryOf({ expiresAt }: ImportedKey, rules: ExpiryRules, now: number): number | null {
  return expiryOfNewKey(expiresAt, { inherited: null, rules, now });
}

async function planImport(db: Kysely<Tables>, options: PlanOptions, source: RowSource): Promise<Plan> {
  const plan = new Plan(options);
  for await (const rows of source()) {
    const hashes = rows.flatMap(({ key }) => (key === undefined ? [] : [key.hash]));
    const stored = await findStored(db, options.workspaceId, hashes, options.now);
    for (const row of rows) plan.add(row, stored);
    if (plan.problems.length >= options.maxProblems) break;
  }
  return plan;
}

/** The state of hashes that the database has. */
type StoredHashes = ReadonlyMap<string, 'unchanged' | 'unavailable'>;

/**
 * Looks up hashes. One that another workspace has, and one that was revoked or retired, are `unavailable`, without a
 * distinction that a caller could notice.
 *
 * @returns the hashes that the database has
 */
async function findStored(
  db: Kysely<Tables>,
  workspaceId: string,
  hashes: readonly string[],
  now: number,
): Promise<StoredHashes> {
  if (hashes.length === 0) return new Map();
  const rows = jsonRows(
    db,
    { hash: 'text' },
    hashes.map((hash) => ({ hash })),
  );
  const bytes = decodeHexColumn(db, 'r.hash');
  const found = await sql<{ hash: string; isUnchanged: number }>`
    SELECT r.hash, CASE WHEN k.workspace_id = ${workspaceId} AND k.revoked_at IS NULL AND s.retired_at IS NULL
      AND (s.retires_at IS NULL OR s.retires_at > ${now}) AND d.hash IS NULL THEN 1 ELSE 0 END AS ${sql.ref('isUnchanged')}
    FROM ${rows}
    LEFT JOIN api_key_secret s ON s.hash = ${bytes} LEFT JOIN api_key k ON k.id = s.key_id
    LEFT JOIN dead_hash d ON d.hash = ${bytes}
    WHERE s.hash IS NOT NULL OR d.hash IS NOT NULL`.execute(db);
  return new Map(
    found.rows.map(({ hash, isUnchanged }) => [hash, isUnchanged === 1 ? 'unchanged' : 'unavailable']),
  );
}

const keyColumns = {
  id: 'text',
  workspace_id: 'text',
  created_by: 'text',
  name: 'text',
  name_folded: 'text',
  scopes: 'text',
  expires_at: 'bigint',
  environment: 'text',
  allowed_addresses: 'text',
  rate_limit: 'bigint',
  external_id: 'text',
  metadata: 'text',
  created_at: 'bigint',
  imported_at: 'bigint',
} as const;

const secretColumns = {
  hash: 'text',
  id: 'text',
  key_id: 'text',
  prefix: 'text',
  preview_start: 'text',
  preview_end: 'text',
  created_at: 'bigint',
} as const;

/** @returns the IDs of the keys */
async function insertKeys(
  db: Kysely<Tables>,
  { workspaceId, createdBy, now }: ImportRequest,
  keys: readonly ImportedKey[],
  rules: ExpiryRules,
): Promise<string[]> {
  if (keys.length === 0) return [];
  // Lists in the order of creation are in the order of IDs.
  const added = keys.map((key) => ({ key, id: newId('key_', key.createdAt) }));
  const rows = added.map(({ key, id }) => ({
    id,
    workspace_id: workspaceId,
    created_by: createdBy,
    name: key.name,
    name_folded: foldName(key.name),
    ...policyColumns({ ...key, expiresAt: expiryOf(key, rules, now) }),
    environment: key.environment,
    metadata: key.metadata,
    created_at: key.createdAt,
    imported_at: now,
  }));
  const secrets = added.map(({ key, id }) => ({
    hash: key.hash,
    id: newId('sec_', now),
    key_id: id,
    prefix: '',
    preview_start: key.previewStart,
    preview_end: key.previewEnd,
    created_at: key.createdAt,
  }));
  const names = Object.keys(keyColumns).map((name) => sql.ref(name));
  await sql`INSERT INTO api_key (${sql.join(names)}) SELECT ${sql.join(names)} FROM ${jsonRows(db, keyColumns, rows)}`.execute(
    db,
  );
  const { hash, ...rest } = secretColumns;
  const others = Object.keys(rest).map((name) => sql.ref(name));
  // In the order of the hashes, so that two imports of the same ones wait for each other without a deadlock.
  await sql`INSERT INTO api_key_secret (hash, ${sql.join(others)})
    SELECT ${decodeHexColumn(db, 'r.hash')}, ${sql.join(others)} FROM ${jsonRows(db, secretColumns, secrets)}
    ORDER BY r.hash`.execute(db);
  const ids = added.map(({ id }) => id);
  // Nodes may have cached these hashes as unknown. Triggers publish changes of keys, but no new ones.
  if (isPostgres(db)) await sql`INSERT INTO key_change_batch (keys) VALUES (${ids}::text[])`.execute(db);
  return ids;
}

/** The keys would be revoked with the others. */
function keysBeingRevoked(): RequestError {
  return new RequestError({
    code: 'verification_unavailable',
    message: 'All keys of this workspace are being revoked. Nothing was imported. Try again in a moment.',
  });
}
