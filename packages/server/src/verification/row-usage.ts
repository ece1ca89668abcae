import { longestAgent, shorten } from '../http/user-agent.ts';
import { hourOf, startOf } from '../usage/hours.ts';
import type { SecretCounts } from '../usage/recorder.ts';
import * as column from './columns.ts';
import { SharedTexts } from './shared-texts.ts';

/** What RowUsage reads of a row that it does not count. */
interface Whose {
  keyId(row: number): string;
  hash(row: number): string;
}

/** The uses of the secrets in a table that the recorder does not have yet. */
export class RowUsage {
  readonly #rows: Int32Array;
  readonly #whose: Whose;
  /** Rows with counts. One that was dropped meanwhile is there in vain, or twice. */
  #counted: number[] = [];
  /** Those that came earlier, and are taken first. */
  #next: number[] = [];
  /** Counts of rows that were dropped, and of hours that have ended. */
  #left: SecretCounts[] = [];
  #addresses = new SharedTexts();
  #agents = new SharedTexts();

  constructor(rows: Int32Array, whose: Whose) {
    this.#rows = rows;
    this.#whose = whose;
  }

  /** How many have counts, at most. */
  get size(): number {
    return this.#counted.length + this.#next.length + this.#left.length;
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
    this.#leaveHour(row, at);
    this.#addresses.release(rows[at + column.address] ?? 0);
    this.#agents.release(rows[at + column.agent] ?? 0);
    rows.fill(0, at + column.accepted, at + column.width);
  }

  /** Called when all rows are about to be given up. */
  leaveAll(): void {
    for (const row of [...this.#next, ...this.#counted]) this.#leaveHour(row, row * column.width);
    this.#next = [];
    this.#counted = [];
    this.#addresses = new SharedTexts();
    this.#agents = new SharedTexts();
  }

  /** What is not in a row any more. It is handed over: the caller has it from now on. */
  takeLeft(): SecretCounts[] {
    const left = this.#left;
    this.#left = [];
    return left;
  }

  /** Takes the counts of some rows out of them. @returns none when no row has any */
  take(most: number): SecretCounts[] {
    const taken: SecretCounts[] = [];
    while (taken.length < most) {
      const row = this.#nextCounted();
      if (row === undefined) break;
      const counts = this.#takeRow(row, row * column.width);
      if (counts !== undefined) taken.push(counts);
    }
    return taken;
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
      this.#leaveHour(row, at);
      rows[at + column.hour] = hour;
      rows[at + column.lastMs] = -1;
      rows[at + column.flags] = (rows[at + column.flags] ?? 0) | column.isNewClient;
    }
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.isCounted) === 0) {
      rows[at + column.flags] = flags | column.isCounted;
      this.#counted.push(row);
    }
    return startOf(hour);
  }

  #nextCounted(): number | undefined {
    if (this.#next.length === 0) {
      this.#next = this.#counted;
      this.#counted = [];
    }
    return this.#next.pop();
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

  #leaveHour(row: number, at: number): void {
    const counts = this.#takeRow(row, at);
    if (counts !== undefined) this.#left.push(counts);
  }

  #takeRow(row: number, at: number): SecretCounts | undefined {
    const counts = this.of(row);
    if (counts === undefined) return undefined;
    const rows = this.#rows;
    rows[at + column.accepted] = 0;
    rows[at + column.refused] = 0;
    const handed = counts.accepted > 0 ? column.isCounted | column.isNewClient : column.isCounted;
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) & ~handed;
    return counts;
  }
}
