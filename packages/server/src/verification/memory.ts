import type { Window } from '../limits/sliding-window.ts';
import { HeldUses } from '../usage/held-uses.ts';
import type { CountingTable, UsageSource } from '../usage/recorder.ts';
import { KeyTable } from './key-table.ts';

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
  readonly tables: readonly CountingTable[];

  constructor(bounds: Bounds) {
    this.good = new KeyTable(bounds.good, this.held);
    this.refused = new KeyTable(bounds.refused, this.held);
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

  /** The windows of limits that still count something and lie in the table. @param now epoch ms */
  windows(now: number): Iterable<readonly [string, Window]> {
    return [...this.good.windows.takeLeft(), ...this.good.countingWindows(now)];
  }
}
