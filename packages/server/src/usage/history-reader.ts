import { setImmediate as turn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import type { Tables } from '../database/schema.ts';
import { addClients, type ClientCounts, parseClients } from './client-counts.ts';
import { readClients } from './client-days.ts';
import { addUses } from './client-samples.ts';
import type { CountingTable, SampledCounts, UsageSource } from './counting-table.ts';
import { dayOf, daysBetween, readDayRows } from './day-rows.ts';
import type { SecretCounts } from './pending-uses.ts';
import { addRejections, noRejections, type Rejections } from './rejection-counts.ts';
import type { UsageStore } from './store.ts';

/** What is added up in one turn of the event loop: about a millisecond of work. A text has up to 120 names. */
const perTurn = { texts: 10, rows: 200 };

/** The requests of one hour with one outcome: 'accepted', or the code of a rejection. */
export interface HourOutcome {
  /** Epoch hours. */
  hour: number;
  outcome: string;
  requests: number;
}

interface History {
  /** In no order; several for one hour and outcome. */
  outcomes: HourOutcome[];
  /** Of all UTC days of the range, with all names. */
  clients: ClientCounts;
}

/** What verification has counted of a key or a workspace. */
interface Open {
  /** Counts that have left the tables. */
  left: Iterable<SecretCounts>;
  inTable: (table: CountingTable) => readonly SampledCounts[];
}

/** Reads long ranges of usage, combining stored counts with those in memory. Ranges are in epoch hours, without `to`. */
export class HistoryReader {
  readonly #store: UsageStore;
  readonly #source: UsageSource;

  constructor(store: UsageStore, source: UsageSource) {
    this.#store = store;
    this.#source = source;
  }

  key(keyId: string, from: number, to: number): Promise<History> {
    const { pending } = this.#source;
    return this.#read(keyId, from, to, () => ({
      left: pending.of(keyId),
      inTable: (table) => table.sampledUsesOf(keyId),
    }));
  }

  workspace(workspaceId: string, from: number, to: number): Promise<History> {
    const { pending } = this.#source;
    return this.#read(workspaceId, from, to, () => ({
      left: pending.ofWorkspace(workspaceId),
      inTable: (table) => table.sampledUsesOfWorkspace(workspaceId),
    }));
  }

  async #read(owner: string, from: number, to: number, open: () => Open): Promise<History> {
    const { pending, tables } = this.#source;
    const read = async (db: Kysely<Tables>) => ({
      days: await readDayRows(db, owner, from, to),
      texts: await readClients(db, owner, from, to),
    });
    const { outcomes, clients, texts, inTables } = await this.#store.readConsistently(read, (stored) => {
      const { left, inTable } = open();
      const sampled = tables.flatMap(inTable);
      const sums = new OutcomeSums();
      for (const counts of left) sums.add(counts);
      for (const { counts } of sampled) sums.add(counts);
      return {
        outcomes: [...stored.days, ...sums.outcomes().filter(({ hour }) => hour >= from && hour < to)],
        clients: pending.clients.of(owner, from, to),
        texts: stored.texts,
        inTables: sampled,
      };
    });
    await inSlices(texts, perTurn.texts, (text) => addClients(clients, parseClients(text)));
    const days = new Set(daysBetween(from, to));
    await inSlices(inTables, perTurn.rows, ({ counts, samples }) => {
      if (days.has(dayOf(counts.hour))) addUses(clients, counts, samples);
    });
    return { outcomes, clients };
  }
}

/** Other requests pass between slices, because there can be 100,000 rows. */
async function inSlices<T>(all: readonly T[], size: number, work: (one: T) => void): Promise<void> {
  for (const some of chunk(all, size)) {
    for (const one of some) work(one);
    await turn();
  }
}

/** Adds up the requests of many secrets in one turn, so it creates no object for each. */
class OutcomeSums {
  readonly #accepted = new Map<number, number>();
  readonly #rejected = new Map<number, Rejections>();

  add({ hour, accepted, refused, refusedBy }: Readonly<SampledCounts['counts']>): void {
    this.#accepted.set(hour, (this.#accepted.get(hour) ?? 0) + accepted);
    if (refused > 0)
      this.#rejected.set(hour, addRejections(this.#rejected.get(hour) ?? noRejections, refusedBy));
  }

  outcomes(): HourOutcome[] {
    const accepted = [...this.#accepted].map(([hour, requests]) => ({ hour, outcome: 'accepted', requests }));
    const rejected = [...this.#rejected].flatMap(([hour, byCode]) =>
      Object.entries(byCode).map(([outcome, requests]) => ({ hour, outcome, requests })),
    );
    return [...accepted, ...rejected];
  }
}
