import { KeyLimits } from '../limits/key-limits.ts';
import { HeldUses } from '../usage/held-uses.ts';
import type { CountingTable, UsageSource } from '../usage/recorder.ts';
import { KeyTable } from './key-table.ts';
import { KeyWindows } from './key-windows.ts';

interface Bounds {
  /** How many good secrets to keep. */
  good: number;
  /** How many unknown and revoked ones. */
  refused: number;
}

/** What verification remembers, by the SHA-256 of the key as 32 latin-1 characters. */
export class SecretMemory implements UsageSource {
  /** Holds only keys that are not revoked. */
  readonly good: KeyTable;
  /**
   * Hashes of no key and of revoked keys, bounded apart so that guessing evicts nobody. A revoked key stays so, and
   * a hash without a key stays so, because a new key is random and was sent by nobody before it was made.
   */
  readonly refused: KeyTable;

  readonly held = new HeldUses();
  /** Those of the limits of good secrets' keys. */
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
   * Forgets secrets, so that their next use reads the database. Whoever commits or applies a change of a key calls
   * this in the same synchronous turn.
   */
  forget(hashes: Iterable<Uint8Array>): void {
    for (const bytes of hashes) {
      const hash = Buffer.from(bytes).toString('latin1');
      this.good.drop(hash);
      this.refused.drop(hash);
    }
  }

  /** Forgets all secrets of a workspace, whose settings have changed, in the turn of the commit. */
  forgetWorkspace(workspaceId: string): void {
    this.good.dropWorkspace(workspaceId);
  }

  /** Forgets everything, when it is not known what has changed. */
  empty(): void {
    this.good.clear();
    this.refused.clear();
  }
}
