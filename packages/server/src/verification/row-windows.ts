import type { GrantedWindow } from '../limits/grants.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import { advance, type Window } from '../limits/sliding-window.ts';
import * as column from './columns.ts';

/** What RowWindows reads of a row. */
interface Whose {
  keyId(row: number): string;
}

/**
 * The windows of the keys' limits in the rows of a table. A window is kept beside the table (KeyLimits) when several
 * rows share it.
 */
export class RowWindows {
  readonly #whose: Whose;
  /** Where the windows of dropped rows go. */
  readonly #limits: KeyLimits;
  readonly #window: RowWindow;
  /** By row; shorter when the last rows have none. */
  readonly #kept: (KeyWindow | undefined)[] = [];

  constructor(rows: Int32Array, whose: Whose, limits: KeyLimits) {
    this.#whose = whose;
    this.#limits = limits;
    this.#window = new RowWindow(rows);
  }

  /** How many rows have a window in their columns. */
  get size(): number {
    return this.#window.used;
  }

  /** The window in the columns of a row. Always the same object, so it is good until the next call. */
  at(row: number): GrantedWindow {
    this.#window.start = row * column.width;
    return this.#window;
  }

  /** The window that is kept beside the table for a row. */
  kept(row: number): KeyWindow | undefined {
    return row < this.#kept.length ? this.#kept[row] : undefined;
  }

  keep(row: number, window: KeyWindow): void {
    while (this.#kept.length <= row) this.#kept.push(undefined);
    this.#kept[row] = window;
  }

  /** Takes the window out of the columns of a row. @returns undefined when it was not used */
  take(row: number): GrantedWindow | undefined {
    const window = this.at(row);
    const { minute, current, previous, left } = window;
    Object.assign(window, { minute: 0, current: 0, previous: 0, left: 0 });
    return minute === 0 ? undefined : { minute, current, previous, left };
  }

  /** Called when a row is about to hold another secret, or none. */
  leave(row: number): void {
    const window = this.take(row);
    if (window !== undefined) this.#limits.restore(this.#whose.keyId(row), window);
    if (row < this.#kept.length) this.#kept[row] = undefined;
  }

  /** Copies of all windows in columns that still count something. @param rows how many have ever held something. @param now epoch ms */
  *counting(rows: number, now: number): Generator<[string, Window]> {
    for (let row = 0; row < rows; row++) {
      const { minute, current, previous } = this.at(row);
      if (current === 0 && previous === 0) continue;
      const window = { minute, current, previous };
      advance(window, now);
      if (window.current > 0 || window.previous > 0) yield [this.#whose.keyId(row), window];
    }
  }
}

/** Reads and writes the columns of one row, so that the rule of all limits need not know where a window lies. */
class RowWindow implements GrantedWindow {
  readonly #rows: Int32Array;
  /** Index of the row's first column. */
  start = 0;
  /** Rows whose window was used: its minute is not 0. */
  used = 0;

  constructor(rows: Int32Array) {
    this.#rows = rows;
  }

  get minute(): number {
    return this.#rows[this.start + column.minute] ?? 0;
  }

  set minute(value: number) {
    this.used += Number(value !== 0) - Number(this.minute !== 0);
    this.#rows[this.start + column.minute] = value;
  }

  get current(): number {
    return this.#rows[this.start + column.current] ?? 0;
  }

  set current(value: number) {
    this.#rows[this.start + column.current] = value;
  }

  get previous(): number {
    return this.#rows[this.start + column.previous] ?? 0;
  }

  set previous(value: number) {
    this.#rows[this.start + column.previous] = value;
  }

  get left(): number {
    return this.#rows[this.start + column.left] ?? 0;
  }

  set left(value: number) {
    this.#rows[this.start + column.left] = value;
  }
}
