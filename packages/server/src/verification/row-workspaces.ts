import { InternedStrings } from './interned-strings.ts';

/** The workspaces of the rows of a table, by number. All rows of a workspace can be invalidated in constant time. */
export class RowWorkspaces {
  readonly #ids = new InternedStrings();
  /** Whether all rows with a number are out of date. */
  readonly #outOfDate: boolean[] = [];

  /** Number of workspaces, including those whose rows are out of date. */
  get size(): number {
    return this.#ids.size;
  }

  /** Adds an up-to-date row. @returns the number of its workspace */
  acquire(workspaceId: string): number {
    const number = this.#ids.acquire(workspaceId);
    this.#outOfDate[number] = false;
    return number;
  }

  /** Removes a row. */
  release(number: number): void {
    this.#ids.release(number);
  }

  text(number: number): string {
    return this.#ids.text(number);
  }

  isOutOfDate(number: number): boolean {
    return this.#outOfDate[number] === true;
  }

  /** Invalidates all rows of a workspace. */
  drop(workspaceId: string): void {
    const number = this.#ids.retire(workspaceId);
    if (number !== undefined) this.#outOfDate[number] = true;
  }

  /** Invalidates all rows. */
  dropAll(): void {
    for (const number of this.#ids.retireAll()) this.#outOfDate[number] = true;
  }
}
