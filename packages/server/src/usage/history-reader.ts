import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { addClients, type ClientCounts } from './client-counts.ts';
import { type ClientDays, readClients } from './client-days.ts';
import { dayOf, daysBetween, readDayRows } from './day-rows.ts';
import { clientsOf, type SecretCounts } from './pending-uses.ts';
import type { UsageRecorder } from './recorder.ts';
import type { UsageStore } from './store.ts';

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
  /** Of all UTC days of the range. */
  clients: ClientCounts;
}

/** Reads long ranges of usage, combining stored counts with those in memory. Ranges are in epoch hours, without `to`. */
export class HistoryReader {
  readonly #store: UsageStore;
  readonly #recorder: UsageRecorder;
  readonly #clients: ClientDays;

  constructor(store: UsageStore, recorder: UsageRecorder, clients: ClientDays) {
    this.#store = store;
    this.#recorder = recorder;
    this.#clients = clients;
  }

  key(keyId: string, from: number, to: number): Promise<History> {
    return this.#read(keyId, from, to, () => this.#recorder.of(keyId));
  }

  workspace(workspaceId: string, from: number, to: number): Promise<History> {
    return this.#read(workspaceId, from, to, () => this.#recorder.ofWorkspace(workspaceId));
  }

  #read(owner: string, from: number, to: number, open: () => readonly SecretCounts[]): Promise<History> {
    const read = async (db: Kysely<Tables>) => ({
      days: await readDayRows(db, owner, from, to),
      clients: await readClients(db, owner, from, to),
    });
    return this.#store.readConsistently(read, (stored) => {
      const counts = open();
      const inMemory = counts.flatMap(outcomesOf).filter(({ hour }) => hour >= from && hour < to);
      const clients = this.#clients.combine(stored.clients, owner, from, to);
      const days = new Set(daysBetween(from, to));
      for (const one of counts) if (days.has(dayOf(one.hour))) addClients(clients, clientsOf(one));
      return { outcomes: [...stored.days, ...inMemory], clients };
    });
  }
}

function outcomesOf({ hour, accepted, refusedBy }: Readonly<SecretCounts>): HourOutcome[] {
  const rejected = Object.entries(refusedBy).map(([outcome, requests]) => ({ hour, outcome, requests }));
  return [{ hour, outcome: 'accepted', requests: accepted }, ...rejected];
}
