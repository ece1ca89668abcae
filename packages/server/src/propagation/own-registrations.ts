import type { ClusterStore } from './cluster-store.ts';

/** Maximum number of former rows to track: a failing node registers up to once a second, and rows may not commit. */
const maxFormer = 10;

/**
 * The node rows of this process. Each registration has a new ID, because a statement that was sent for an old one may
 * commit at any time: it then finds no row, or an unused one.
 */
export class OwnRegistrations {
  readonly #store: ClusterStore;
  readonly #newId: () => string;
  #id = '';
  /** Rows that no longer hold a lease but may still be in the table. */
  readonly #former = new Set<string>();
  readonly #leaving = new Set<string>();

  constructor(store: ClusterStore, newId: () => string) {
    this.#store = store;
    this.#newId = newId;
  }

  /** '' before the first registration. */
  get id(): string {
    return this.#id;
  }

  /** Whether a row is or was this process's own. Changes do not wait for these: former rows hold no lease. */
  has(id: string): boolean {
    return id === this.#id || this.#former.has(id);
  }

  /** Creates the ID of a new row. */
  newId(): string {
    this.#id = this.#newId();
    return this.#id;
  }

  /** Marks the current row as one whose lease was dropped permanently. */
  retire(): void {
    if (this.#id === '') return;
    this.#former.add(this.#id);
    for (const oldest of this.#former) {
      if (this.#former.size <= maxFormer) break;
      this.#former.delete(oldest);
    }
  }

  /** Deletes the former rows, so that no node waits for them. If that fails, the other nodes remove them. */
  async leave(): Promise<void> {
    const ids = Array.from(this.#former).filter((id) => !this.#leaving.has(id));
    await Promise.allSettled(ids.map((id) => this.#leaveRow(id)));
  }

  async #leaveRow(id: string): Promise<void> {
    this.#leaving.add(id);
    try {
      await this.#store.leave(id);
      this.#former.delete(id);
    } finally {
      this.#leaving.delete(id);
    }
  }
}
