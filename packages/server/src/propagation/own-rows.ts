import type { FeedLink } from './link.ts';

/** Most rows of failed registrations: there may be one each second, and some may not have been committed. */
const mostFormer = 10;

/**
 * The rows of this process. Each registration has a new id, because a statement that was sent for an old one may commit
 * at any time: it then finds no row, or an unused one.
 */
export class OwnRows {
  readonly #link: FeedLink;
  readonly #newId: () => string;
  #id = '';
  /** Rows without a lease that may still be in the table. */
  readonly #former = new Set<string>();
  readonly #leaving = new Set<string>();

  constructor(link: FeedLink, newId: () => string) {
    this.#link = link;
    this.#newId = newId;
  }

  /** '' before the first registration. */
  get id(): string {
    return this.#id;
  }

  /** Whether a change need not wait for this row: the lease was dropped before another one was taken. */
  has(id: string): boolean {
    return id === this.#id || this.#former.has(id);
  }

  /** The id of a new row. */
  take(): string {
    this.#id = this.#newId();
    return this.#id;
  }

  /** Reports that the lease of the row was dropped permanently. */
  renounce(): void {
    if (this.#id === '') return;
    this.#former.add(this.#id);
    for (const oldest of this.#former) {
      if (this.#former.size <= mostFormer) break;
      this.#former.delete(oldest);
    }
  }

  /** Deletes the remaining rows, so that no node waits for them. If that fails, the other nodes remove them. */
  async leave(): Promise<void> {
    const ids = Array.from(this.#former).filter((id) => !this.#leaving.has(id));
    await Promise.allSettled(ids.map((id) => this.#leaveRow(id)));
  }

  async #leaveRow(id: string): Promise<void> {
    this.#leaving.add(id);
    try {
      await this.#link.leave(id);
      this.#former.delete(id);
    } finally {
      this.#leaving.delete(id);
    }
  }
}
