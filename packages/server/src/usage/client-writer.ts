import type { ClientDay, ClientDays } from './client-days.ts';
import type { Pacer } from './pacer.ts';

/** Maximum number of rows per transaction. */
const batchSize = 50;

/** Stores clients. */
export interface ClientStore {
  /**
   * Adds clients to those that are stored, in one transaction: at least the first, then as many as fit into a short time.
   *
   * @param batch each owner and day once, in the order of days and owners
   * @param stored called once, in the turn in which so many of them are known to be stored
   */
  addClients(batch: readonly ClientDay[], stored: (count: number) => void): Promise<void>;
}

/**
 * Writes the clients of keys and workspaces, apart from the counts: nothing waits for it, and it never delays a count.
 * The numbers are samples, so a use that a crash loses, or that is counted twice after a lost response, changes little.
 */
export class ClientWriter {
  readonly #clients: ClientDays;
  readonly #store: ClientStore;
  readonly #pacer: Pacer;
  /** Settles when all writes that were started have ended. */
  #written: Promise<unknown> = Promise.resolve();

  constructor(clients: ClientDays, store: ClientStore, pacer: Pacer) {
    this.#clients = clients;
    this.#store = store;
    this.#pacer = pacer;
  }

  /**
   * Writes what was added before the call.
   *
   * @param isOver whether to leave the rest to the next call
   * @throws the error of the database; the rest is written by the next call
   */
  write(isOver: () => boolean = () => false): Promise<void> {
    const writing = this.#written.then(() => this.#write(isOver));
    this.#written = writing.catch(() => undefined);
    return writing;
  }

  async #write(isOver: () => boolean): Promise<void> {
    let left = this.#clients.entries;
    while (left > 0 && !isOver()) {
      const batch = this.#clients.take(Math.min(left, batchSize));
      let count = 0;
      try {
        await this.#pacer.step(() =>
          this.#store.addClients(batch, (stored) => {
            count = stored;
            this.#clients.settle(stored);
          }),
        );
      } catch (error) {
        if (count === 0) this.#clients.settle(0);
        throw error;
      }
      left -= count;
    }
  }
}
