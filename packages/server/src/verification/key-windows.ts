import type { GrantedWindow } from '../limits/grants.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import type { LimitWindows } from '../limits/limits.ts';
import type { LimitWindow } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';

/**
 * The rate-limit windows of all keys. A window is stored in the row of its key's secret, which a verification has
 * already loaded, or outside the table if no row or several rows belong to the key.
 */
export class KeyWindows implements LimitWindows {
  readonly #keys: KeyTable;
  readonly #limits: KeyLimits;

  constructor(keys: KeyTable, limits: KeyLimits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  get size(): number {
    return this.#limits.size + this.#keys.windows.size;
  }

  /** The window of a row's key. Valid until the next call. */
  of(row: number): GrantedWindow {
    const { windows } = this.#keys;
    const kept = windows.shared(row);
    return kept === undefined ? windows.at(row) : this.#beside(row, kept);
  }

  ofKey(keyId: string): GrantedWindow {
    const [row] = this.#keys.rowsOf(keyId);
    return row === undefined ? this.#limits.ofKey(keyId) : this.of(row);
  }

  restore(keyId: string, window: LimitWindow): void {
    Object.assign(this.ofKey(keyId), window);
  }

  *counting(now: number): Iterable<readonly [string, LimitWindow]> {
    yield* this.#limits.counting(now);
    yield* this.#keys.countingWindows(now);
  }

  sweep(now: number): void {
    this.#limits.sweep(now);
  }

  /** Connects a new row to the existing window of its key. */
  attach(row: number): void {
    const { windows } = this.#keys;
    const keyId = this.#keys.keyId(row);
    const rows = this.#keys.rowsOf(keyId);
    if (rows.length === 1) {
      const window = this.#limits.take(keyId);
      if (window !== undefined) Object.assign(windows.at(row), window);
      return;
    }
    for (const one of rows) {
      const window = windows.take(one);
      if (window !== undefined) this.#limits.restore(keyId, window);
    }
    for (const one of rows) windows.share(one, this.#limits.ofKey(keyId));
  }

  #beside(row: number, kept: KeyWindow): KeyWindow {
    if (!kept.dropped) return kept;
    const window = this.#limits.ofKey(this.#keys.keyId(row));
    this.#keys.windows.share(row, window);
    return window;
  }
}
