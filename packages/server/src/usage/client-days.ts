import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import {
  addClients,
  type ClientCounts,
  emptyClientCounts,
  limitClients,
  maxClientNames,
  sizeOf,
} from './client-counts.ts';
import { addUses, type RowSamples } from './client-samples.ts';
import { dayOf, daysBetween } from './day-rows.ts';
import type { SecretCounts } from './pending-uses.ts';

/** Maximum size of all entries in memory: about 20 MB. */
const maxSize = 200_000;

/** The size of an entry without names. A name has a size of one: about 100 bytes. */
const entrySize = 6;

/** The clients of a key or a workspace on one day. */
export interface ClientDay {
  /** Epoch days, UTC. */
  day: number;
  /** The id of a key or a workspace. */
  owner: string;
  clients: ClientCounts;
}

/**
 * The clients of keys and workspaces by day, from when their counts leave the tables until they are written. They are
 * samples, so losing some is acceptable: while nothing can be written and memory is full, they are dropped.
 */
export class ClientDays {
  readonly #waiting = new Map<string, ClientDay>();
  /** The rows of the current transaction. */
  #writing: readonly ClientDay[] = [];
  #size = 0;
  readonly #maxSize: number;

  constructor(most: number = maxSize) {
    this.#maxSize = most;
  }

  /** Number of entries. */
  get entries(): number {
    return this.#waiting.size;
  }

  /** Whether it is time to write. */
  get isFilling(): boolean {
    return this.#size > this.#maxSize / 2;
  }

  /** Call it when counts leave a table. */
  add(counts: Readonly<SecretCounts>, samples: RowSamples | undefined): void {
    if (counts.accepted === 0) return;
    const day = dayOf(counts.hour);
    for (const owner of [counts.keyId, counts.workspaceId])
      this.#change(day, owner, (clients) => addUses(clients, counts, samples));
  }

  #change(day: number, owner: string, change: (clients: ClientCounts) => void): void {
    if (this.#size >= this.#maxSize) return;
    const name = nameOf(day, owner);
    let entry = this.#waiting.get(name);
    if (entry === undefined) {
      entry = { day, owner, clients: emptyClientCounts() };
      this.#waiting.set(name, entry);
      this.#size += entrySize;
    }
    const before = sizeOf(entry.clients);
    change(entry.clients);
    // Not at each change, because it sorts.
    if (sizeOf(entry.clients) > 4 * maxClientNames) limitClients(entry.clients);
    this.#size += sizeOf(entry.clients) - before;
  }

  /** Removes the oldest entries, to write them in the order of days and owners. They remain visible until `settle`. */
  take(most: number): readonly ClientDay[] {
    const batch: ClientDay[] = [];
    for (const [name, entry] of this.#waiting) {
      if (batch.length === most) break;
      this.#waiting.delete(name);
      this.#size -= entrySize + sizeOf(entry.clients);
      batch.push(entry);
    }
    batch.sort((a, b) => a.day - b.day || (a.owner < b.owner ? -1 : 1));
    this.#writing = batch;
    return batch;
  }

  /** Call it in the turn in which the first entries of those that were taken are known to be stored. */
  settle(count: number): void {
    const rest = this.#writing.slice(count);
    this.#writing = [];
    for (const { day, owner, clients } of rest) this.#change(day, owner, (sum) => addClients(sum, clients));
  }

  /** A copy of what is not stored. @param to epoch hours; not included */
  of(owner: string, from: number, to: number): ClientCounts {
    const [first, last] = [dayOf(from), dayOf(to - 1)];
    const sum = emptyClientCounts();
    for (const one of this.#writing)
      if (one.owner === owner && one.day >= first && one.day <= last) addClients(sum, one.clients);
    for (const day of daysBetween(from, to)) {
      const entry = this.#waiting.get(nameOf(day, owner));
      if (entry !== undefined) addClients(sum, entry.clients);
    }
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
