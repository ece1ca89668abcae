import { longestAgent, shorten } from '../http/user-agent.ts';
import { hourOf, startOf } from '../usage/hours.ts';
import type { PendingUses, SecretCounts } from '../usage/pending-uses.ts';
import type { CountingTable } from '../usage/recorder.ts';
import * as column from './columns.ts';
import { SharedTexts } from './shared-texts.ts';

/** What RowUsage reads of a row that it does not count. */
interface Whose {
  keyId(row: number): string;
  hash(row: number): string;
  rowsOf(keyId: string): number[];
}

/** The uses of the secrets in a table, until they leave it. */
export class RowUsage implements CountingTable {
  readonly #rows: Int32Array;
  readonly #whose: Whose;
  /** Where they go. */
  readonly #held: PendingUses;
  /** Rows that have got counts. One that has lost them meanwhile is there in vain, or twice. */
  #counted: number[] = [];
  #size = 0;
  readonly #addresses = new SharedTexts();
  readonly #agents = new SharedTexts();

  constructor(rows: Int32Array, whose: Whose, held: PendingUses) {
    this.#rows = rows;
    this.#whose = whose;
    this.#held = held;
  }

  /** How many addresses and user agents the rows have together. */
  get texts(): number {
    return this.#addresses.size + this.#agents.size;
  }

  /** How many rows have counts. */
  get pending(): number {
    return this.#size;
  }

  /** @param now epoch ms */
  accept(row: number, now: number, address: string, agent: string): void {
    const rows = this.#rows;
    const at = row * column.width;
    const start = this.#begin(row, at, now);
    rows[at + column.accepted] = (rows[at + column.accepted] ?? 0) + 1;
    rows[at + column.lastMs] = now - start;
    if (
      this.#addresses.text(rows[at + column.address] ?? 0) !== address ||
      this.#agents.text(rows[at + column.agent] ?? 0) !== agent
    ) {
      this.#setClient(at, address, agent);
    }
  }

  /** @param now epoch ms */
  refuse(row: number, now: number): void {
    const at = row * column.width;
    this.#begin(row, at, now);
    this.#rows[at + column.refused] = (this.#rows[at + column.refused] ?? 0) + 1;
  }

  /** Called when a row is about to hold another secret, or none. */
  leave(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.hold(row);
    this.#addresses.release(rows[at + column.address] ?? 0);
    this.#agents.release(rows[at + column.agent] ?? 0);
    rows.fill(0, at + column.accepted, at + column.width);
  }

  /** The rows that have got counts since the last call; those that have lost them meanwhile may be among them. */
  countedRows(): number[] {
    const counted = this.#counted;
    this.#counted = [];
    return counted;
  }

  /** Lets go of the counts of a row, if it has any. */
  hold(row: number): void {
    const counts = this.of(row);
    if (counts === undefined) return;
    const rows = this.#rows;
    const at = row * column.width;
    rows[at + column.accepted] = 0;
    rows[at + column.refused] = 0;
    // A client that was only refused is not written, so it is still new.
    const handed = counts.accepted > 0 ? column.isCounted | column.isNewClient : column.isCounted;
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) & ~handed;
    this.#size -= 1;
    this.#held.hold(counts);
  }

  /** The counts of a key, which stay in its rows. */
  usesOf(keyId: string): SecretCounts[] {
    return this.#whose.rowsOf(keyId).flatMap((row) => this.of(row) ?? []);
  }

  /** The counts of a row, which stay in it. */
  of(row: number): SecretCounts | undefined {
    const rows = this.#rows;
    const at = row * column.width;
    if (((rows[at + column.flags] ?? 0) & column.isCounted) === 0) return undefined;
    return {
      keyId: this.#whose.keyId(row),
      hash: this.#whose.hash(row),
      hour: rows[at + column.hour] ?? 0,
      accepted: rows[at + column.accepted] ?? 0,
      refused: rows[at + column.refused] ?? 0,
      lastMs: rows[at + column.lastMs] ?? -1,
      address: this.#addresses.text(rows[at + column.address] ?? 0),
      agent: this.#agents.text(rows[at + column.agent] ?? 0),
      isNewClient: ((rows[at + column.flags] ?? 0) & column.isNewClient) !== 0,
    };
  }

  /** Makes a row ready to count in the present hour. @returns epoch ms of its start */
  #begin(row: number, at: number, now: number): number {
    const rows = this.#rows;
    const hour = hourOf(now);
    if (rows[at + column.hour] !== hour) {
      this.hold(row);
      rows[at + column.hour] = hour;
      rows[at + column.lastMs] = -1;
      rows[at + column.flags] = (rows[at + column.flags] ?? 0) | column.isNewClient;
    }
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.isCounted) === 0) {
      rows[at + column.flags] = flags | column.isCounted;
      this.#counted.push(row);
      this.#size += 1;
    }
    return startOf(hour);
  }

  #setClient(at: number, address: string, agent: string): void {
    const rows = this.#rows;
    const [oldAddress, oldAgent] = [rows[at + column.address] ?? 0, rows[at + column.agent] ?? 0];
    rows[at + column.address] = this.#addresses.take(address);
    rows[at + column.agent] = this.#agents.take(agent.length > longestAgent ? shorten(agent) : agent);
    this.#addresses.release(oldAddress);
    this.#agents.release(oldAgent);
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) | column.isNewClient;
  }
}
