import { setImmediate } from 'node:timers/promises';
import type { Target } from '@soku/contract/audit';
import { type ImportResult, maxImportProblems } from '@soku/contract/imports';
import { errorCodeOf } from '../error-code.ts';
import { type NewEvent, workspaceTarget } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { findIdempotent, hashToken, insertToken } from '../keys/idempotency.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { type CheckedRow, checkRow } from './rows.ts';
import { type ImportOutcome, importBatchSize, type RowSource, writeImport } from './writes.ts';

interface Options {
  /** Accepted prefixes of this deployment's own keys. */
  prefixes: readonly string[];
  /** Undefined: every key is live. */
  testPrefix: string | undefined;
  /** Maximum number of active keys in a workspace. */
  maxActiveKeys: number;
  /** Epoch ms. */
  now: () => number;
}

/** What an import is asked to do. */
interface ImportCommand {
  workspaceId: string;
  actor: Caller['actor'];
  dryRun: boolean;
  /** Epoch ms. */
  now: number;
  maxProblems: number;
  /** The hash of the Idempotency-Key; null if there is none. */
  token: Uint8Array | null;
}

/** Rows that are checked in one turn of the event loop: about a millisecond. */
const rowsPerTurn = 100;

/** Imports keys that another system has issued, by their hashes. */
export class ImportService {
  readonly #propagation: Propagation;
  readonly #options: Options;

  constructor(propagation: Propagation, options: Options) {
    this.#propagation = propagation;
    this.#options = options;
  }

  /**
   * Imports all keys, or none if one has a problem. When this resolves, every server knows them.
   *
   * @param keys unchecked
   * @param idempotencyKey the Idempotency-Key header
   * @throws {RequestError} key_quota_reached, idempotency_replayed
   */
  async import(
    { workspaceId, actor }: Pick<Caller, 'workspaceId' | 'actor'>,
    { keys, dryRun }: { keys: readonly unknown[]; dryRun: boolean },
    idempotencyKey: string | null,
  ): Promise<ImportResult> {
    const now = this.#options.now();
    const token = hashToken(idempotencyKey);
    const batches = await this.#check(keys, now);
    const { ids: _ids, ...result } = await this.run(
      { workspaceId, actor, dryRun, now, token, maxProblems: maxImportProblems },
      () => batches,
    );
    return { ...result, problems: [...result.problems] };
  }

  /** Imports rows that have been checked. @throws as `import` */
  async run(command: ImportCommand, source: RowSource): Promise<ImportOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#commit(command, source);
      } catch (error) {
        // Another transaction has added or revoked one of the hashes since they were looked up.
        if (attempt === maxAttempts || !conflicts.has(errorCodeOf(error))) throw error;
      }
    }
  }

  async #commit(command: ImportCommand, source: RowSource): Promise<ImportOutcome> {
    const { workspaceId, actor, dryRun, now, token, maxProblems } = command;
    const { maxActiveKeys } = this.#options;
    const request = { workspaceId, createdBy: actor.id, maxActiveKeys, dryRun, now };
    const { value } = await this.#propagation.commit<ImportOutcome>(async (db) => {
      const outcome = await writeImport(db, request, source, maxProblems, async () => {
        if (token !== null && (await findIdempotent(db, workspaceId, token, now)) !== undefined)
          throw replayed();
      });
      if (outcome === undefined) throw quotaExceeded(maxActiveKeys);
      if (dryRun || outcome.problems.length > 0) return { value: outcome };
      if (token !== null) await insertToken(db, workspaceId, token, null, now);
      if (outcome.imported === 0) return { value: outcome };
      const events = [keysImported(command, await workspaceTarget(db, workspaceId), outcome)];
      return { value: outcome, changed: { kind: 'keys', ids: outcome.ids }, events };
    });
    return value;
  }

  /** Checks keys without blocking the event loop for long. */
  async #check(keys: readonly unknown[], now: number): Promise<CheckedRow[][]> {
    const { prefixes, testPrefix } = this.#options;
    const batches: CheckedRow[][] = [];
    for (let first = 0; first < keys.length; first += rowsPerTurn) {
      const rows = keys
        .slice(first, first + rowsPerTurn)
        .map((key, i) => checkRow(first + i, key, { prefixes, testPrefix, now }));
      if (first % importBatchSize === 0) batches.push(rows);
      else batches.at(-1)?.push(...rows);
      await setImmediate();
    }
    return batches;
  }
}

/**
 * The first attempt can fail because of a deadlock with another import, and the second because of the hashes that this
 * import added. The third one finds them.
 */
const maxAttempts = 3;

/** SQLSTATEs: unique violation, the exception of a trigger (a revoked hash), deadlock. */
const conflicts = new Set(['23505', '23000', '40P01']);

/** One event for all keys, which name their creator themselves. */
function keysImported(
  { workspaceId, actor, now }: ImportCommand,
  target: Target,
  { imported, unchanged, ids }: ImportOutcome,
): NewEvent {
  const [first = null, last = null] = [ids[0], ids.at(-1)];
  return {
    chain: workspaceId,
    at: now,
    actor,
    action: 'key.imported',
    target,
    details: { imported, unchanged, firstKeyId: first, lastKeyId: last },
  };
}

function quotaExceeded(max: number): RequestError {
  return new RequestError({
    code: 'key_quota_reached',
    message: `With these keys, the workspace would have more than ${max} active keys. Revoke keys that are no longer used, or raise SOKU_MAX_ACTIVE_KEYS.`,
  });
}

function replayed(): RequestError {
  return new RequestError({
    code: 'idempotency_replayed',
    message:
      'A call with this Idempotency-Key was already carried out. If it imported these keys, there is nothing left to do: the same call without the header reports them as unchanged.',
    details: [{ path: 'Idempotency-Key', problem: 'was already used' }],
  });
}
