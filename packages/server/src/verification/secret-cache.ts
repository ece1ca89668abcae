import { KeyLimits } from '../limits/key-limits.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import type { CountingTable, UsageSource } from '../usage/recorder.ts';
import { KeyTable } from './key-table.ts';
import { KeyWindows } from './key-windows.ts';

interface Bounds {
  /** Maximum number of valid secrets. */
  good: number;
  /** Maximum number of unknown and revoked secrets. */
  refused: number;
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/secret-cache.ts
/** What verification remembers, by the SHA-256 of the key as 32 latin-1 characters. */
export class SecretCache implements UsageSource {
  /** Holds only keys that are not revoked. */
=======
/** The verification cache: secrets by the SHA-256 of the key, as 32 latin-1 characters. */
export class SecretMemory implements UsageSource {
  /** Contains only keys that are not revoked. */
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/memory.ts
  readonly good: KeyTable;
  /**
   * Unknown and revoked secrets, bounded separately so that guessing never evicts valid keys. Entries never become
   * stale: a revoked key stays revoked, and an unknown hash stays unknown, because new keys are random.
   */
  readonly refused: KeyTable;

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/secret-cache.ts
  readonly held = new PendingUses();
  /** Those of the limits of good secrets' keys. */
=======
  readonly held = new HeldUses();
  /** The rate-limit windows of the cached valid keys. */
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/memory.ts
  readonly windows: KeyWindows;
  readonly tables: readonly CountingTable[];

  constructor(bounds: Bounds) {
    const limits = new KeyLimits();
    this.good = new KeyTable(bounds.good, this.held, limits);
    this.refused = new KeyTable(bounds.refused, this.held, limits);
    this.windows = new KeyWindows(this.good, limits);
    this.tables = [this.good.usage, this.refused.usage];
  }

  get sizes(): { good: number; refused: number } {
    return { good: this.good.size, refused: this.refused.size };
  }

  /**
   * Evicts secrets, so that their next use reads the database. Must be called in the same synchronous turn in which a
   * change of the key is committed or applied.
   */
  forget(hashes: Iterable<Uint8Array>): void {
    for (const bytes of hashes) {
      const hash = Buffer.from(bytes).toString('latin1');
      this.good.drop(hash);
      this.refused.drop(hash);
    }
  }

  /** Evicts all secrets of a workspace whose settings changed. Must be called in the turn of the commit. */
  forgetWorkspace(workspaceId: string): void {
    this.good.dropWorkspace(workspaceId);
  }

  /** Evicts everything, for when it is unknown what has changed. */
  empty(): void {
    this.good.clear();
    this.refused.clear();
  }
}
