import type { GrantedWindow } from '../limits/grants.ts';
import type { KeyLimits, KeyWindow } from '../limits/key-limits.ts';
import { advance, type LimitWindow } from '../limits/sliding-window.ts';
import * as column from './columns.ts';

/** Returns which key a row belongs to. */
interface Owners {
  keyId(row: number): string;
}

/**
 * The rate-limit windows in the rows of a table. A window that several rows share is stored outside the table.
 */
export class RowWindows {
  readonly #owners: Owners;
  /** Receives the windows of dropped rows. */
  readonly #limits: KeyLimits;
  readonly #window: RowWindow;
  /** By row; shorter if the last rows have none. */
  readonly #kept: (KeyWindow | undefined)[] = [];

  constructor(rows: Int32Array, owners: Owners, limits: KeyLimits) {
    this.#owners = owners;
    this.#limits = limits;
    this.#window = new RowWindow(rows);
  }

  /** Number of rows with a window in their columns. */
  get size(): number {
    return this.#window.used;
  }

  /** The window in the columns of a row. It is always the same object, so it is valid until the next call. */
  at(row: number): GrantedWindow {
    this.#window.start = row * column.width;
    return this.#window;
  }

  /** The shared window of a row, stored outside the table. */
  shared(row: number): KeyWindow | undefined {
    return row < this.#kept.length ? this.#kept[row] : undefined;
  }

  share(row: number, window: KeyWindow): void {
    while (this.#kept.length <= row) this.#kept.push(undefined);
    this.#kept[row] = window;
  }

  /** Removes the window from the columns of a row. @returns undefined if it was not used */
  take(row: number): GrantedWindow | undefined {
    const window = this.at(row);
    const { minute, current, previous, left } = window;
    Object.assign(window, { minute: 0, current: 0, previous: 0, left: 0 });
    return minute === 0 ? undefined : { minute, current, previous, left };
  }

  /** Called before a row is freed or reused. */
  release(row: number): void {
    const window = this.take(row);
    if (window !== undefined) this.#limits.restore(this.#owners.keyId(row), window);
    if (row < this.#kept.length) this.#kept[row] = undefined;
  }

  /** Copies of the windows that still affect a limit. @param rows number of rows ever used. @param now epoch ms */
  *counting(rows: number, now: number): Generator<[string, LimitWindow]> {
    for (let row = 0; row < rows; row++) {
      const { minute, current, previous } = this.at(row);
      if (current === 0 && previous === 0) continue;
      const window = { minute, current, previous };
      advance(window, now);
      if (window.current > 0 || window.previous > 0) yield [this.#owners.keyId(row), window];
    }
  }
}

/** Presents the columns of one row as a window, so that the limit algorithm does not depend on the storage. */
class RowWindow implements GrantedWindow {
  readonly #rows: Int32Array;
  /** Index of the first column of the row. */
  start = 0;
  /** Number of rows with a used window, whose minute is not 0. */
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
