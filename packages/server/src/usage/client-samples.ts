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
}

/**
 * The clients of every 16th accepted request of each row of a table. The row itself says who sent the requests since its
 * client last changed, so samples are stored only at a change. Rows whose client did not change have none here.
 */
export class ClientSamples {
  readonly #rows = new Map<number, RowSamples>();
  /** The number of samples of each row. */
  readonly #sizes: Uint32Array;
  readonly #maxTexts: number;
  #texts = 0;

  /** @param rows number of rows of the table */
  constructor(rows: number, most: number = maxTexts) {
    this.#sizes = new Uint32Array(rows);
    this.#maxTexts = most;
  }

  /** Number of addresses and agents in memory. */
  get texts(): number {
    return this.#texts;
  }

  /**
   * Whether a row has samples that are not stored. Checked at each change, which may be each request.
   *
   * @param accepted number of accepted requests in the row
   */
  isBehind(row: number, accepted: number): boolean {
    return Math.floor(accepted / sampling) !== this.#sizes[row];
  }

  /**
   * Stores the samples since the last change. Call it when the client of a row changes, before the request of the new one
   * is counted.
   *
   * @param address of the client so far
   */
  change(row: number, accepted: number, address: string, agent: string): void {
    const size = Math.floor(accepted / sampling);
    const more = size - (this.#sizes[row] ?? 0);
    if (more === 0) return;
    let samples = this.#rows.get(row);
    if (samples === undefined) {
      samples = { addresses: noSamples(), agents: noSamples() };
      this.#rows.set(row, samples);
    }
    this.#count(samples.addresses, address, more);
    this.#count(samples.agents, agent, more);
    this.#sizes[row] = size;
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
    const rest = accepted - (this.#sizes[row] ?? 0) * sampling;
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
    this.#sizes[row] = 0;
    this.#texts -= samples.addresses.texts.length + samples.agents.texts.length;
  }
}

function noSamples(): Samples {
  return { texts: [], samples: [], other: 0 };
}
