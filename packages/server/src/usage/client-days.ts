import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { addClients, type ClientCounts, noClients, parseClients } from './client-counts.ts';
import { dayOf, daysBetween } from './day-rows.ts';
import type { Pace } from './pace.ts';
import { clientsOf, type SecretCounts } from './pending-uses.ts';

/** Maximum number of keys and days in memory: about 10 MB if each has few clients. More are written at once. */
const maxWaiting = 10_000;

/** Maximum number of rows per transaction. */
const batchSize = 200;

/** The clients of a key or a workspace on one day. */
export interface ClientDay {
  /** Epoch days, UTC. */
  day: number;
  /** The id of a key or a workspace. */
  owner: string;
  clients: ClientCounts;
}

/** Stores clients. */
export interface ClientStore {
  /**
   * Adds clients to those that are stored, in one transaction.
   *
   * @param batch each key and day once
   * @returns the number of rows that were written, from the first one; at least one
   */
  addClients(batch: readonly ClientDay[]): Promise<number>;
}

/**
 * The clients of keys and workspaces by day. It looks only at usage that was written, so verification does nothing more
 * for this, and it writes on its own: the numbers are samples, so a use that a crash loses, or that is counted twice after
 * a lost response, changes little.
 */
export class ClientDays {
  readonly #store: ClientStore;
  readonly #pace: Pace;
  readonly #waiting = new Map<string, ClientDay>();
  /** The rows of the current transaction. */
  #writing: readonly ClientDay[] = [];
  #written: Promise<void> = Promise.resolve();

  constructor(store: ClientStore, pace: Pace) {
    this.#store = store;
    this.#pace = pace;
  }

  /** Whether `write` should be called before more counts are added. */
  get isFull(): boolean {
    return this.#waiting.size >= maxWaiting;
  }

  /** Call it with counts that were written. While nothing can be written, new keys are dropped. */
  add(counts: readonly Readonly<SecretCounts>[]): void {
    for (const one of counts) {
      if (one.accepted === 0) continue;
      const clients = clientsOf(one);
      for (const owner of [one.keyId, one.workspaceId]) this.#add({ day: dayOf(one.hour), owner, clients });
    }
  }

  #add({ day, owner, clients }: ClientDay): void {
    const name = nameOf(day, owner);
    let waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      if (this.#waiting.size >= 2 * maxWaiting) return;
      waiting = { day, owner, clients: noClients() };
      this.#waiting.set(name, waiting);
    }
    addClients(waiting.clients, clients);
  }

  /** Writes what was added before the call. @throws the error of the database; the rest is written by the next call */
  write(): Promise<void> {
    const writing = this.#written.then(() => this.#write());
    this.#written = writing.catch(() => undefined);
    return writing;
  }

  async #write(): Promise<void> {
    const names = [...this.#waiting.keys()];
    let done = 0;
    while (done < names.length) {
      const batch = names.slice(done, done + batchSize).flatMap((name) => this.#waiting.get(name) ?? []);
      done += await this.#writeSome(batch);
    }
  }

  /** @returns the number of rows that were written, from the first one */
  async #writeSome(batch: readonly ClientDay[]): Promise<number> {
    for (const { day, owner } of batch) this.#waiting.delete(nameOf(day, owner));
    this.#writing = batch;
    let count = 0;
    try {
      count = await this.#pace.step(() => this.#store.addClients(batch));
    } finally {
      this.#writing = [];
      for (const rest of batch.slice(count)) this.#add(rest);
    }
    return count;
  }

  /** What is not written yet. */
  #open(owner: string, from: number, to: number): ClientCounts[] {
    const [first, last] = [dayOf(from), dayOf(to - 1)];
    return [
      ...this.#writing,
      ...daysBetween(from, to).flatMap((day) => this.#waiting.get(nameOf(day, owner)) ?? []),
    ]
      .filter((one) => one.owner === owner && one.day >= first && one.day <= last)
      .map(({ clients }) => clients);
  }

  /** Combines stored clients with those in memory. @param stored of `readClients` */
  combine(stored: readonly string[], owner: string, from: number, to: number): ClientCounts {
    const sum = noClients();
    for (const text of stored) addClients(sum, parseClients(text));
    for (const clients of this.#open(owner, from, to)) addClients(sum, clients);
    return sum;
  }
}

/** The stored clients of a key or a workspace, by day. @param to epoch hours; not included */
export async function readClients(
  db: Kysely<Tables>,
  owner: string,
  from: number,
  to: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('usage_client')
    .select('clients')
    .where('day', 'in', daysBetween(from, to))
    .where('owner', '=', owner)
    .execute();
  return rows.map(({ clients }) => clients);
}

function nameOf(day: number, owner: string): string {
  return `${day} ${owner}`;
}
