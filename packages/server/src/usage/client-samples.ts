import { randomInt } from 'node:crypto';
import {
  addClients,
  addCount,
  type ClientCounts,
  copyClients,
  emptyClientCounts,
  maxClientNames,
  programOf,
  sizeOf,
  type TopCounts,
} from './client-counts.ts';
import type { SecretCounts } from './pending-uses.ts';

/** One of this many accepted requests is sampled: a power of two. */
export const sampleInterval = 16;
const samplingBits = Math.log2(sampleInterval);

/** Maximum number of addresses and programs in the samples of all rows: about 10 MB. More count as others. */
const maxTexts = 50_000;

/** The samples of a row. */
export interface RowSamples {
  clients: ClientCounts;
  /** Number of accepted requests that the samples stand for. All others are of the last client of the row. */
  accepted: number;
  /** The client of the newest sample. */
  address: string;
  program: string;
}

/**
 * The client of one in 16 accepted requests of each row of a table, at a random position in each block of 16, because
 * clients can alternate. The row itself says who sent the requests since its client last changed, so samples are stored
 * only at a change. Rows whose client did not change have none here.
 */
export class ClientSamples {
  readonly #rows = new Map<number, RowSamples>();
  /** The number of stored samples of each row. */
  readonly #sizes: Uint32Array;
  /** Changes whenever counts leave the row, so that a row with few requests does not always sample the same one. */
  readonly #phases: Uint32Array;
  readonly #seed: number;
  readonly #maxTexts: number;
  #texts = 0;

  /** @param rows number of rows of the table */
  constructor(rows: number, { seed = randomInt(2 ** 31), most = maxTexts } = {}) {
    this.#sizes = new Uint32Array(rows);
    this.#phases = new Uint32Array(rows);
    this.#seed = seed;
    this.#maxTexts = most;
  }

  /** Number of addresses and programs in memory. */
  get texts(): number {
    return this.#texts;
  }

  /**
   * Whether a row has samples that are not stored. Checked at each change, which may be each request.
   *
   * @param accepted number of accepted requests in the row
   */
  isBehind(row: number, accepted: number): boolean {
    return this.#samplesOf(row, accepted) !== this.#sizes[row];
  }

  /** How many of the first requests of a row are samples: one at a random position of each block. */
  #samplesOf(row: number, accepted: number): number {
    const block = accepted >>> samplingBits;
    let bits = Math.imul(block ^ this.#seed, 0x9e3779b1) ^ Math.imul(row, 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 15) ^ (this.#phases[row] ?? 0), 0x2c1b3c6d);
    bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
    const position = bits >>> (32 - samplingBits);
    return position < (accepted & (sampleInterval - 1)) ? block + 1 : block;
  }

  /**
   * Stores the samples since the last change. Call it when the client of a row changes, before the request of the new one
   * is counted.
   *
   * @param address of the client so far
   */
  change(row: number, accepted: number, address: string, agent: string): void {
    const size = this.#samplesOf(row, accepted);
    const more = size - (this.#sizes[row] ?? 0);
    if (more === 0) return;
    let samples = this.#rows.get(row);
    if (samples === undefined) {
      samples = { clients: emptyClientCounts(), accepted: 0, address: '', program: '' };
      this.#rows.set(row, samples);
    }
    const program = programOf(agent);
    this.#count(samples.clients.addresses, address, more * sampleInterval);
    this.#count(samples.clients.programs, program, more * sampleInterval);
    samples.accepted = size * sampleInterval;
    samples.address = address;
    samples.program = program;
    this.#sizes[row] = size;
  }

  #count(top: TopCounts, text: string, requests: number): void {
    const isNew = !top.counts.has(text);
    if (isNew && (top.counts.size >= maxClientNames || this.#texts >= this.#maxTexts)) {
      top.other += requests;
      return;
    }
    addCount(top, text, requests);
    if (isNew) this.#texts += 1;
  }

  /** A copy of the samples of a row. Undefined if it has none, so that its last client stands for all requests. */
  of(row: number, accepted: number): RowSamples | undefined {
    const samples = this.#rows.get(row);
    if (samples === undefined) return undefined;
    const copy = { ...samples, clients: copyClients(samples.clients) };
    complete(copy, accepted);
    return copy;
  }

  /** Removes and returns the samples of a row, when its counts leave the table. */
  take(row: number, accepted: number): RowSamples | undefined {
    this.#phases[row] = (this.#phases[row] ?? 0) + 1;
    const samples = this.#rows.get(row);
    if (samples === undefined) return undefined;
    this.#rows.delete(row);
    this.#sizes[row] = 0;
    this.#texts -= sizeOf(samples.clients);
    complete(samples, accepted);
    return samples;
  }
}

/** If the newest sample is of a block that has not ended, it stands only for the requests of the block so far. */
function complete(samples: RowSamples, accepted: number): void {
  const missing = samples.accepted - accepted;
  if (missing <= 0) return;
  for (const [top, name] of [
    [samples.clients.addresses, samples.address],
    [samples.clients.programs, samples.program],
  ] as const) {
    if (top.counts.has(name)) addCount(top, name, -missing);
    else top.other -= missing;
  }
  samples.accepted = accepted;
}

/** Adds the accepted requests of a row. */
export function addUses(
  sum: ClientCounts,
  { accepted, address, agent }: Readonly<Pick<SecretCounts, 'accepted' | 'address' | 'agent'>>,
  samples: RowSamples | undefined,
): void {
  if (samples !== undefined) addClients(sum, samples.clients);
  const rest = accepted - (samples?.accepted ?? 0);
  if (rest === 0) return;
  addCount(sum.addresses, address, rest);
  addCount(sum.programs, programOf(agent), rest);
}
