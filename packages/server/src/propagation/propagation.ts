import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { NewEvent } from '../events/events.ts';
import { RequestError } from '../http/errors.ts';

/** What a transaction changed that verifiers may have cached. */
export type CommandChange =
  | { kind: 'keys'; ids: readonly string[] }
  | { kind: 'workspace'; id: string }
  /**
   * Keys that must be revoked when the transaction commits. Propagation reads them back, writes their hashes to the
   * journal, and publishes `republish`, a key that was already revoked: the call that revoked it may still be waiting
   * for other nodes, or for a synchronous standby, which a commit without a write would not wait for.
   */
  | { kind: 'revoked'; ids: readonly string[]; republish?: string }
  /** Secrets that must be retired when the transaction commits, by their hashes. The rest as for revoked keys. */
  | { kind: 'retired'; hashes: readonly Uint8Array[]; republish?: string };

/** What must never be accepted again once the transaction commits. */
export type RevocationChange = Extract<CommandChange, { kind: 'revoked' | 'retired' }>;

/** The result of a command's work: its own value, what it changed, and the events to append. */
export interface CommandResult<T> {
  value: T;
  /** Absent when no verifier can have cached what changed, such as a new key. */
  changed?: CommandChange | undefined;
  /** The audit events of the command, written in the same transaction. */
  events?: readonly NewEvent[];
}

/** The verifier's cache, from which changed keys are evicted. */
export interface VerifierCache {
  /** @param hashes SHA-256 of the secrets */
  evict(hashes: Iterable<Uint8Array>): void;
  evictWorkspace(workspaceId: string): void;
  clear(): void;
}

/** Where a change is in effect. */
export interface PropagationResult {
  /** Number of servers that have applied the change. The others no longer verify from their caches. */
  nodes: number;
  /** How long the call waited for other servers, in ms. */
  waitedMs: number;
}

/** Applies each change on every verifier before the call that made it returns. One implementation per database. */
export interface Propagation {
  /**
   * Runs the work of a command in one transaction. Resolves when the transaction is committed and no verifier uses a
   * cache that lacks the change.
   *
   * @param work changes rows and returns the events. An error that it throws rolls the transaction back
   * @throws {RequestError} internal_error when the database undid a revoke or retirement; nothing was committed.
   *   storage_unavailable when it is committed but not in the journal: the caller must retry it
   */
  commit<T>(
    work: (db: Kysely<Tables>) => Promise<CommandResult<T>>,
  ): Promise<{ value: T; effect: PropagationResult }>;
}

/** Whether a change ends keys or secrets permanently. */
export function isRevocationChange(changed: CommandChange | undefined): changed is RevocationChange {
  return changed?.kind === 'revoked' || changed?.kind === 'retired';
}

/**
 * The error of a commit whose revoke or retirement the database undid. A trigger or rule that was added while the process
 * runs can do that, so each of them is read back before the commit.
 */
export function revocationUndoneError(): RequestError {
  return new RequestError({
    code: 'internal_error',
    message:
      'Nothing was changed: altered triggers or rules in the database undid the change. Restart the server to see which ones.',
  });
}
