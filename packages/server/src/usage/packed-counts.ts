import type { SecretCounts } from './pending-uses.ts';

/** The counts of secrets without rejections, as 32-bit numbers. Creating them is far cheaper than creating objects. */
export interface PackedCounts {
  /** One record per secret, each of `recordWidth` numbers in the byte order of the machine. */
  records: Int32Array<ArrayBuffer>;
  /** Addresses and user agents, which the records refer to by index. */
  clients: [address: string, agent: string][];
}

export const emptyPackedCounts: PackedCounts = { records: new Int32Array(0), clients: [] };

/**
 * The numbers of a record: the SHA-256 in 8 numbers, the epoch hour, the accepted requests, the ms of the last use from
 * the start of the hour, and twice the index of the client, plus 1 if the last use must be written.
 */
const recordWidth = 12;

interface PackedUse extends Pick<SecretCounts, 'hour' | 'accepted' | 'lastMs' | 'changesLastUse'> {
  /** Index of its client. */
  client: number;
}

/** Copies counts into records. */
export class CountsPacker {
  readonly #records: Int32Array<ArrayBuffer>;
  readonly #clients: [string, string][] = [];
  readonly #indexes = new Map<string, number>();
  #length = 0;
  #lastAddress = -1;
  #lastAgent = -1;
  #lastIndex = 0;

  /** @param most maximum number of records */
  constructor(most: number) {
    this.#records = new Int32Array(most * recordWidth);
  }

  /** Starts a record. @param from contains the SHA-256 in 8 numbers from the index `at` */
  addHash(from: Int32Array, at: number): void {
    for (let i = 0; i < 8; i++) this.#records[this.#length + i] = from[at + i] ?? 0;
  }

  /** Completes the record. */
  addUse({ hour, accepted, lastMs, client, changesLastUse }: PackedUse): void {
    const records = this.#records;
    const at = this.#length;
    records[at + 8] = hour;
    records[at + 9] = accepted;
    records[at + 10] = lastMs;
    records[at + 11] = 2 * client + Number(changesLastUse);
    this.#length += recordWidth;
  }

  /** @returns the index of a client, which is identified by the numbers of its interned strings */
  findClient(address: number, agent: number): number | undefined {
    if (address === this.#lastAddress && agent === this.#lastAgent) return this.#lastIndex;
    const index = this.#indexes.get(`${address} ${agent}`);
    if (index !== undefined) [this.#lastAddress, this.#lastAgent, this.#lastIndex] = [address, agent, index];
    return index;
  }

  /** Adds a client that `findClient` did not find. @returns its index */
  addClient(address: number, agent: number, texts: [address: string, agent: string]): number {
    const index = this.#clients.push(texts) - 1;
    this.#indexes.set(`${address} ${agent}`, index);
    return index;
  }

  finish(): PackedCounts {
    return { records: this.#records.subarray(0, this.#length), clients: this.#clients };
  }
}

/** The counts of a record. */
export type UnpackedCounts = Pick<
  SecretCounts,
  'hash' | 'hour' | 'accepted' | 'lastMs' | 'changesLastUse'
> & { client: number };

export function* unpackCounts(records: Int32Array): Generator<UnpackedCounts, void> {
  for (let at = 0; at + recordWidth <= records.length; at += recordWidth) {
    const [hour = 0, accepted = 0, lastMs = -1, last = 0] = records.subarray(at + 8, at + recordWidth);
    const hash = hashText(records.subarray(at, at + 8));
    yield { hash, hour, accepted, lastMs, client: last >> 1, changesLastUse: (last & 1) === 1 };
  }
}

/** @param words a hash as 8 big-endian numbers. @returns 32 latin-1 characters */
function hashText(words: Int32Array): string {
  const bytes = Buffer.alloc(32);
  for (const [i, word] of words.entries()) bytes.writeInt32BE(word, 4 * i);
  return bytes.toString('latin1');
}
