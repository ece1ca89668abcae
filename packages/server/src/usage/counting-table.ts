import type { PackedCounts } from './packed-counts.ts';
import type { PendingUses, SecretCounts } from './pending-uses.ts';

/** The usage counts that verification keeps. */
export interface UsageSource {
  /** Counts that have left the tables. Counts that leave a table are added here in the same turn. */
  readonly pending: PendingUses;
  readonly tables: readonly CountingTable[];
}

/** A table with the usage counts of secrets, one row for each secret. */
export interface CountingTable {
  /** Number of rows with counts. */
  readonly pending: number;
  /** Number of rows with counts that are not in the log. */
  readonly unlogged: number;
  /**
   * The rows that were counted in since the last call, including rows whose counts have left the table since then. The
   * caller holds all of them before it appends rows to the log again.
   */
  countedRows(): number[];
  /** The rows with counts that are not in the log, oldest first, and others that have nothing to append any more. */
  changedRows(): readonly number[];
  /** Holds those rows whose counts cannot be packed. */
  holdRejections(rows: readonly number[]): void;
  /** What these rows have counted that is not in the log. */
  pack(rows: readonly number[]): PackedCounts;
  /** Called in the turn in which rows were packed and what was packed is known to be in the log. */
  setLogged(rows: readonly number[]): void;
  /** Removes so many of the first rows from the list of changed rows. */
  dropChanged(count: number): void;
  /** Moves the counts of a row to the pending ones, if it has any. */
  hold(row: number): void;
  /** Reads the counts of a key and leaves them in the table. */
  usesOf(keyId: string): SecretCounts[];
  /** Reads the counts of a workspace and leaves them in the table. */
  usesOfWorkspace(workspaceId: string): SecretCounts[];
}
