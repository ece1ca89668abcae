import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { NewEvent } from '../events/events.ts';
import { RequestError } from '../http/errors.ts';

/** What a transaction changes that verification may have cached. */
export type Changed =
  | { kind: 'keys'; ids: readonly string[] }
  | { kind: 'workspace'; id: string }
  /**
   * Keys that must be revoked when the transaction is committed. Propagation reads that back, writes their hashes to
   * the journal, and publishes `republish`, a key that was already revoked: the call that revoked it may still be
   * waiting for other nodes, or for a synchronous standby, which a commit without a write would not wait for.
   */
  | { kind: 'revoked'; ids: readonly string[]; republish?: string };

/** The result of a command's work: its own value, what it changed, and the events to append. */
export interface CommandResult<T> {
  value: T;
  /** Absent when no verifier can have cached anything of it, such as a new key. */
  changed?: Changed | undefined;
  /** The audit log's record of the command. It is part of the same transaction. */
  events?: readonly NewEvent[];
}

/** The verifier's cache, from which changes evict. */
export interface VerifierCache {
  /** @param hashes SHA-256 of the secrets */
  forget(hashes: Iterable<Uint8Array>): void;
  forgetWorkspace(workspaceId: string): void;
  empty(): void;
}

/** Where a change is in effect. */
export interface Effect {
  /** Number of servers that have applied the change. The others no longer answer from their caches. */
  nodes: number;
  /** How long the call waited for other servers, in ms. */
  waitedMs: number;
}

/** How every verifier learns of a change before the call that made it returns. One backend for each database. */
export interface Propagation {
  /**
   * Runs the work of a command in one transaction. Resolves when the transaction is committed and no verifier answers
   * from a cache that lacks the change.
   *
   * @param work changes rows and returns the events. What it throws rolls the transaction back
   * @throws {RequestError} internal_error when the database did not keep a revoke; then nothing was committed.
   *   storage_unavailable when a revoke is committed but not in the journal: the caller repeats it
   */
  commit<T>(work: (db: Kysely<Tables>) => Promise<CommandResult<T>>): Promise<{ value: T; effect: Effect }>;
}

/**
 * What a commit throws when the database does not keep a revoke: a trigger or a rule that was added while the process
 * runs may undo it. So every revoke is read back before the commit.
 */
export function revokeUndone(): RequestError {
  return new RequestError({
    code: 'internal_error',
    message:
      'The key was not revoked: the database undid the change, because its triggers or rules were altered. Ask the operator to restart Soku, which then names them.',
  });
}
