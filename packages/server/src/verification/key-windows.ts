import type { GrantedWindow } from '../limits/grants.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import type { KeyTable } from './key-table.ts';

/**
 * Where the window of a key's limit lies: in the row of its secret, which a verification has in hand anyway; or in
 * KeyLimits, when no row or several rows have the key.
 */
export class KeyWindows {
  readonly #keys: KeyTable;
  readonly #limits: KeyLimits;

  constructor(keys: KeyTable, limits: KeyLimits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  /** The window of a row's key. Good until the next call. */
  of(row: number): GrantedWindow {
    const { windows } = this.#keys;
    const kept = windows.kept(row);
    return kept === undefined ? windows.at(row) : this.#beside(row, kept);
  }

  /** The window of a key, whether a row has it or not. Good until the next call. */
  ofKey(keyId: string): GrantedWindow {
    this.#bringBack();
    const [row] = this.#keys.rowsOf(keyId);
    return row === undefined ? this.#limits.windowOf(keyId) : this.of(row);
  }

  /** Called for each new row: its key goes on with the window that it has. */
  adopt(row: number): void {
    const { windows } = this.#keys;
    this.#bringBack();
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
    for (const one of rows) windows.keep(one, this.#limits.windowOf(keyId));
  }

  /** Puts the windows of rows that were dropped where they are found. */
  #bringBack(): void {
    for (const [keyId, window] of this.#keys.windows.takeLeft()) this.#limits.restore(keyId, window);
  }

  #beside(row: number, kept: KeyWindow): KeyWindow {
    if (!kept.dropped) return kept;
    const window = this.#limits.windowOf(this.#keys.keyId(row));
    this.#keys.windows.keep(row, window);
    return window;
  }
}
