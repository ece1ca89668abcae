import { KeyLimits } from '../limits/key-limits.ts';
import type { CountingTable, UsageSource } from '../usage/counting-table.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import { KeyTable } from './key-table.ts';
import { KeyWindows } from './key-windows.ts';

interface Bounds {
  /** Maximum number of valid secrets. */
  valid: number;
  /** Maximum number of unknown and revoked secrets. */
  rejected: number;
}

/** The verification cache: secrets by the SHA-256 of the key, as 32 latin-1 characters. */
export class SecretCache implements UsageSource {
  /** Contains only keys that are not revoked. */
  readonly valid: KeyTable;
  /**
   * Unknown and revoked secrets, bounded separately so that guessing never evicts valid keys. A revoked key stays
   * revoked. New keys are random, so an unknown hash stays unknown until it is imported, which evicts it.
   */
  readonly rejected: KeyTable;

  readonly pending = new PendingUses();
  /** The rate-limit windows of the cached valid keys. */
  readonly windows: KeyWindows;
  readonly tables: readonly CountingTable[];

  constructor(bounds: Bounds) {
    const limits = new KeyLimits();
    this.valid = new KeyTable(bounds.valid, this.pending, limits);
    this.rejected = new KeyTable(bounds.rejected, this.pending, limits);
    this.windows = new KeyWindows(this.valid, limits);
    this.tables = [this.valid.usage, this.rejected.usage];
  }

  get sizes(): { valid: number; rejected: number } {
    return { valid: this.valid.size, rejected: this.rejected.size };
  }

  /**
   * Evicts secrets, so that their next use reads the database. Must be called in the same synchronous turn in which a
   * change of the key is committed or applied.
   */
  evict(hashes: Iterable<Uint8Array>): void {
    for (const bytes of hashes) {
      const hash = Buffer.from(bytes).toString('latin1');
      this.valid.drop(hash);
      this.rejected.drop(hash);
    }
  }

  /** Evicts all secrets of a workspace whose settings changed. Must be called in the turn of the commit. */
  evictWorkspace(workspaceId: string): void {
    this.valid.dropWorkspace(workspaceId);
  }

  /** Evicts everything, for when it is unknown what has changed. */
  clear(): void {
    this.valid.clear();
    this.rejected.clear();
  }
}
