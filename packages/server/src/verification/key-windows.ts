import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import type { Window } from '../limits/sliding-window.ts';
import type { KeyTable } from './key-table.ts';

/**
 * Where the window of a key's limit lies: in the row of its secret, which a verification has in hand anyway; or in
 * KeyLimits, when no row or several rows have the key, or when several servers share it.
 */
export class KeyWindows {
  readonly #keys: KeyTable;
  readonly #limits: KeyLimits;

  constructor(keys: KeyTable, limits: KeyLimits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  /** The window of a row's key. Good until the next call. */
  of(row: number): Window {
    const { windows } = this.#keys;
    return windows.kept(row) === undefined ? windows.at(row) : this.shared(row);
  }

  /** The window of a row's key in KeyLimits. */
  shared(row: number): KeyWindow {
    const { windows } = this.#keys;
    const known = windows.kept(row);
    if (known !== undefined && !known.dropped) return known;
    const window = this.#limits.windowOf(this.#keys.keyId(row));
    windows.keep(row, window);
    return window;
  }

  /** Called for each new row: its key goes on with the window that it has. */
  adopt(row: number): void {
    const { windows } = this.#keys;
    for (const [keyId, window] of windows.takeLeft()) this.#limits.restore(keyId, window);
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
}
