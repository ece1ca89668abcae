import type { RowSamples } from './client-samples.ts';
import type { KeyIdRange } from './key-range.ts';
import type { PackedCounts } from './packed-counts.ts';
import type { PendingUses, SecretCounts } from './pending-uses.ts';

/** The usage counts that verification keeps. */
export interface UsageSource {
  /** Counts that have left the tables. Counts that leave a table are added here in the same turn. */
  readonly pending: PendingUses;
  readonly tables: readonly CountingTable[];
}

/** The counts of a row of a table, and from where they came. It names no secret, because many rows are read in one turn. */
export interface SampledCounts {
  counts: Pick<SecretCounts, 'hour' | 'accepted' | 'refused' | 'refusedBy' | 'address' | 'agent'>;
  samples: RowSamples | undefined;
}

/** A table with the usage counts of secrets, one row for each secret. */
export interface CountingTable {
  /** Number of rows with counts. */
  readonly countedRows: number;
  /** Number of rows with counts that are not in the log. */
  readonly unloggedRows: number;
  /** The key of every n-th row with counts. */
  sampleKeys(every: number): string[];
  /**
   * Moves the counts of keys to the pending ones, except for rows that are first counted in after the call. Each step
   * of the iterator looks at one row. The iterator must end before the next call.
   */
  moveAllToPending(keys: KeyIdRange): Iterator<undefined>;
  /**
   * Removes and returns the list of rows to append to the log. Some of them may have nothing to append anymore. If they
   * cannot be appended, the caller passes them to `relist`.
   */
  takeChanged(): number[];
  /** Lists rows again that could not be appended. */
  relist(rows: readonly number[]): void;
  /** Moves the counts of rows with rejections to the pending ones, because packed counts cannot contain them. */
  moveRejectionsToPending(rows: readonly number[]): void;
  /** Copies what these rows have counted that is not in the log. */
  pack(rows: readonly number[]): PackedCounts;
  /**
   * Marks rows as logged. Call it in the turn in which they were packed, when the packed counts are known to be in the
   * log.
   */
  setLogged(rows: readonly number[]): void;
  /** Reads the counts of a key and leaves them in the table. */
  usesOf(keyId: string): SecretCounts[];
  /** Reads the counts of a workspace and leaves them in the table. */
  usesOfWorkspace(workspaceId: string): SecretCounts[];
  /** The same with samples. */
  sampledUsesOf(keyId: string): SampledCounts[];
  sampledUsesOfWorkspace(workspaceId: string): SampledCounts[];
}
