import { maxStoredAgentLength, truncateAgent } from '../http/user-agent.ts';
import { hourOf, hourStart } from '../usage/hours.ts';
import type { PendingUses, SecretCounts } from '../usage/pending-uses.ts';
import type { CountingTable } from '../usage/recorder.ts';
import * as column from './columns.ts';
import { InternedStrings } from './interned-strings.ts';

/** What RowUsage reads of a row besides its counts. */
interface Whose {
  keyId(row: number): string;
  hash(row: number): string;
  rowsOf(keyId: string): number[];
}

/** Counts the uses of the secrets in a table until they are passed on. */
export class RowUsage implements CountingTable {
  readonly #rows: Int32Array;
  readonly #whose: Whose;
  /** Receives the counts. */
  readonly #held: PendingUses;
  /** Rows that got counts. A row that lost its counts since then may still be listed, even twice. */
  #counted: number[] = [];
  #size = 0;
  readonly #addresses = new InternedStrings();
  readonly #agents = new InternedStrings();

  constructor(rows: Int32Array, whose: Whose, held: PendingUses) {
    this.#rows = rows;
    this.#whose = whose;
    this.#held = held;
  }

  /** Number of distinct addresses and user agents of all rows. */
  get texts(): number {
    return this.#addresses.size + this.#agents.size;
  }

  /** Number of rows with counts. */
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

  /** Called before a row is freed or reused. */
  leave(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.hold(row);
    this.#addresses.release(rows[at + column.address] ?? 0);
    this.#agents.release(rows[at + column.agent] ?? 0);
    rows.fill(0, at + column.accepted, at + column.width);
  }

  /** The rows that got counts since the last call, including rows that may have lost them since then. */
  countedRows(): number[] {
    const counted = this.#counted;
    this.#counted = [];
    return counted;
  }

  /** Passes the counts of a row on, if it has any. */
  hold(row: number): void {
    const counts = this.of(row);
    if (counts === undefined) return;
    const rows = this.#rows;
    const at = row * column.width;
    rows[at + column.accepted] = 0;
    rows[at + column.refused] = 0;
    // The client is written only with accepted uses, so otherwise it is still new.
    const handed = counts.accepted > 0 ? column.isCounted | column.isNewClient : column.isCounted;
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) & ~handed;
    this.#size -= 1;
    this.#held.add(counts);
  }

  /** Reads the counts of a key without passing them on. */
  usesOf(keyId: string): SecretCounts[] {
    return this.#whose.rowsOf(keyId).flatMap((row) => this.of(row) ?? []);
  }

  /** Reads the counts of a row without passing them on. */
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

  /** Prepares a row to count in the current hour. @returns the start of the hour in epoch ms */
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
    return hourStart(hour);
  }

  #setClient(at: number, address: string, agent: string): void {
    const rows = this.#rows;
    const [oldAddress, oldAgent] = [rows[at + column.address] ?? 0, rows[at + column.agent] ?? 0];
    rows[at + column.address] = this.#addresses.acquire(address);
    rows[at + column.agent] = this.#agents.acquire(
      agent.length > maxStoredAgentLength ? truncateAgent(agent) : agent,
    );
    this.#addresses.release(oldAddress);
    this.#agents.release(oldAgent);
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) | column.isNewClient;
  }
}
