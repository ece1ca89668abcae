import type { KeyIdRange } from './key-range.ts';
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
  /** The key of every n-th row with counts. */
  sampleKeys(every: number): string[];
  /**
   * Moves the counts of keys to the pending ones, except for what is counted after the call. Each step of the iterator looks
   * at one row. It must end before the next call.
   */
  holdAll(keys: KeyIdRange): Iterator<undefined>;
  /**
   * The rows with counts that are not in the log, and others that have nothing to append any more. The caller passes them
   * to `relist` if they could not be appended.
   */
  takeChanged(): number[];
  relist(rows: readonly number[]): void;
  /** Holds those rows whose counts cannot be packed. */
  holdRejections(rows: readonly number[]): void;
  /** What these rows have counted that is not in the log. */
  pack(rows: readonly number[]): PackedCounts;
  /** Called in the turn in which rows were packed and what was packed is known to be in the log. */
  setLogged(rows: readonly number[]): void;
  /** Reads the counts of a key and leaves them in the table. */
  usesOf(keyId: string): SecretCounts[];
  /** Reads the counts of a workspace and leaves them in the table. */
  usesOfWorkspace(workspaceId: string): SecretCounts[];
}
