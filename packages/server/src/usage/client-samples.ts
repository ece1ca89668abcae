import { addCount, type ClientCounts, maxClients, noClients, programOf } from './client-counts.ts';

/** One of so many accepted requests is sampled. */
export const sampling = 16;

/** Maximum number of addresses and agents in the samples of all rows: about 10 MB. More count as others. */
const maxTexts = 50_000;

/** How many samples have each text. Few enough for a linear search. */
interface Samples {
  texts: string[];
  samples: number[];
  other: number;
}

interface RowSamples {
  addresses: Samples;
  agents: Samples;
  /** Number of samples. */
  size: number;
}

/**
 * The clients of every 16th accepted request of each row of a table. The row itself says who sent the requests since its
 * client last changed, so samples are stored only at a change. Rows whose client did not change have none here.
 */
export class ClientSamples {
  readonly #rows = new Map<number, RowSamples>();
  readonly #maxTexts: number;
  #texts = 0;

  constructor(most: number = maxTexts) {
    this.#maxTexts = most;
  }

  /** Number of addresses and agents in memory. */
  get texts(): number {
    return this.#texts;
  }

  /**
   * Stores the samples since the last change. Call it when the client of a row changes, before the request of the new one
   * is counted.
   *
   * @param accepted number of accepted requests in the row
   * @param address of the client so far
   */
  change(row: number, accepted: number, address: string, agent: string): void {
    const size = Math.floor(accepted / sampling);
    if (size === 0) return;
    let samples = this.#rows.get(row);
    if (size === samples?.size) return;
    if (samples === undefined) {
      samples = { addresses: noSamples(), agents: noSamples(), size: 0 };
      this.#rows.set(row, samples);
    }
    this.#count(samples.addresses, address, size - samples.size);
    this.#count(samples.agents, agent, size - samples.size);
    samples.size = size;
  }

  #count(samples: Samples, text: string, more: number): void {
    const at = samples.texts.indexOf(text);
    if (at !== -1) {
      samples.samples[at] = (samples.samples[at] ?? 0) + more;
    } else if (samples.texts.length < maxClients && this.#texts < this.#maxTexts) {
      samples.texts.push(text);
      samples.samples.push(more);
      this.#texts += 1;
    } else {
      samples.other += more;
    }
  }

  /**
   * The clients of the accepted requests of a row: each sample stands for 16 of them. The samples since the last change,
   * and the rest, are of the last client.
   *
   * @returns undefined if all are of the last client
   */
  of(row: number, accepted: number, address: string, agent: string): ClientCounts | undefined {
    const samples = this.#rows.get(row);
    if (samples === undefined) return undefined;
    const clients = noClients();
    for (const [from, to, nameOf] of [
      [samples.addresses, clients.addresses, (text: string) => text],
      [samples.agents, clients.programs, programOf],
    ] as const) {
      for (const [i, text] of from.texts.entries())
        addCount(to, nameOf(text), (from.samples[i] ?? 0) * sampling);
      to.other = from.other * sampling;
    }
    const rest = accepted - samples.size * sampling;
    // At most one name more than the maximum, until the counts are added to others.
    addCount(clients.addresses, address, rest);
    addCount(clients.programs, programOf(agent), rest);
    return clients;
  }

  /** Removes the samples of a row, when its counts leave the table. */
  drop(row: number): void {
    const samples = this.#rows.get(row);
    if (samples === undefined) return;
    this.#rows.delete(row);
    this.#texts -= samples.addresses.texts.length + samples.agents.texts.length;
  }
}

function noSamples(): Samples {
  return { texts: [], samples: [], other: 0 };
}
