import type { ErrorCode } from '@soku/contract/error-codes';
import { truncateAgent } from '../http/user-agent.ts';
import { ClientSamples } from '../usage/client-samples.ts';
import type { CountingTable, SampledCounts } from '../usage/counting-table.ts';
import { hourOf, hourStart, isSameUseStep } from '../usage/hours.ts';
import { isInRange, type KeyIdRange } from '../usage/key-range.ts';
import type { PackedCounts } from '../usage/packed-counts.ts';
import type { PendingUses, SecretCounts } from '../usage/pending-uses.ts';
import * as column from './columns.ts';
import { InternedStrings } from './interned-strings.ts';
import type { RowOwners } from './row-owners.ts';
import { packRows } from './row-packing.ts';
import { rejectionBits, rejectionsIn } from './row-rejections.ts';

/**
 * Counts the uses of the secrets in a table, in the columns of their rows, until the counts are moved to the pending
 * ones. Until then they may also be appended to the log: each time, what a row has counted since it was last appended.
 */
export class RowUsage implements CountingTable {
  readonly #rows: Int32Array;
  readonly #owners: RowOwners;
  /** Receives the counts when they leave the table. */
  readonly #pending: PendingUses;
  /**
   * Contains each row with counts, and some rows whose counts were moved. The flag `isListed` keeps rows from being
   * added twice, so the list is never longer than the table.
   */
  readonly #counted: number[] = [];
  /** Rows with counts that are not in the log. A row whose counts were moved may still be listed. */
  #changed: number[] = [];
  #countedRows = 0;
  #unloggedRows = 0;
  readonly #addresses = new InternedStrings();
  readonly #agents = new InternedStrings();
  readonly #samples: ClientSamples;

  constructor(rows: Int32Array, owners: RowOwners, pending: PendingUses) {
    this.#rows = rows;
    this.#owners = owners;
    this.#pending = pending;
    this.#samples = new ClientSamples(rows.length / column.width);
  }

  /** Number of addresses and user agents in memory. */
  get texts(): number {
    return this.#addresses.size + this.#agents.size + this.#samples.texts;
  }

  /** Number of rows with counts. */
  get countedRows(): number {
    return this.#countedRows;
  }

  /** Number of rows with counts that are not in the log. */
  get unloggedRows(): number {
    return this.#unloggedRows;
  }

  /** @param now epoch ms */
  accept(row: number, now: number, address: string, agent: string): void {
    const rows = this.#rows;
    const at = row * column.width;
    const start = this.#begin(row, at, now);
    const ms = now - start;
    if (!isSameUseStep(ms, rows[at + column.lastMs] ?? -1)) this.#setFlag(at, column.changesLastUse);
    rows[at + column.lastMs] = ms;
    if (
      this.#addresses.text(rows[at + column.address] ?? 0) !== address ||
      this.#agents.text(rows[at + column.agent] ?? 0) !== agent
    ) {
      this.#setClient(row, at, address, agent);
    }
    rows[at + column.accepted] = (rows[at + column.accepted] ?? 0) + 1;
  }

  /** Whether the last accepted use of the secret since its row was filled came from this address. */
  wasLastAcceptedFrom(row: number, address: string): boolean {
    const number = this.#rows[row * column.width + column.address] ?? 0;
    // 0 also stands for no use.
    return number !== 0 && this.#addresses.text(number) === address;
  }

  /**
   * A row counts rejections of one code at a time, because most keys are rejected for one reason only.
   *
   * @param now epoch ms
   */
  reject(row: number, now: number, code: ErrorCode): void {
    const rows = this.#rows;
    const at = row * column.width;
    const bits = rejectionBits(code);
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.rejectionMask) !== bits) {
      if ((rows[at + column.refused] ?? 0) > 0) this.moveToPending(row);
      rows[at + column.flags] = ((rows[at + column.flags] ?? 0) & ~column.rejectionMask) | bits;
    }
    this.#begin(row, at, now);
    rows[at + column.refused] = (rows[at + column.refused] ?? 0) + 1;
  }

  /** Called before a row is freed or reused. */
  release(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.moveToPending(row);
    this.#addresses.release(rows[at + column.address] ?? 0);
    this.#agents.release(rows[at + column.agent] ?? 0);
    rows.fill(0, at + column.accepted, at + column.agent + 1);
  }

  sampleKeys(every: number): string[] {
    const keys: string[] = [];
    for (let i = 0; i < this.#counted.length; i += every)
      keys.push(this.#owners.keyId(this.#counted[i] ?? 0));
    return keys;
  }

  *moveAllToPending(keys: KeyIdRange): Generator<undefined, void> {
    // In place, because the list can be long, and an array that is replaced stays in memory for a while.
    const counted = this.#counted;
    const end = counted.length;
    let kept = 0;
    for (let i = 0; i < end; i++) {
      const row = counted[i] ?? 0;
      const flags = row * column.width + column.flags;
      const isCounted = ((this.#rows[flags] ?? 0) & column.isCounted) !== 0;
      if (isCounted && !isInRange(this.#owners.keyId(row), keys)) {
        counted[kept++] = row;
      } else {
        this.moveToPending(row);
        this.#rows[flags] = (this.#rows[flags] ?? 0) & ~column.isListed;
      }
      yield;
    }
    // Rows that were listed meanwhile follow the end.
    counted.copyWithin(kept, end);
    counted.length -= end - kept;
  }

  /** Moves the counts of a row, if it has any, to the pending ones. */
  moveToPending(row: number): void {
    const counts = this.of(row);
    if (counts === undefined) return;
    const rows = this.#rows;
    const at = row * column.width;
    const flags = rows[at + column.flags] ?? 0;
    const logged = rows[at + column.logged] ?? 0;
    this.#pending.clients.add(counts, this.#samples.take(row, counts.accepted));
    rows[at + column.accepted] = 0;
    rows[at + column.logged] = 0;
    rows[at + column.refused] = 0;
    // The last use is written only together with accepted uses. Without any, the flag must stay.
    const moved = counts.accepted > 0 ? column.changesLastUse : 0;
    rows[at + column.flags] = flags & ~(moved | column.isCounted | column.isUnlogged);
    this.#countedRows -= 1;
    if ((flags & column.isUnlogged) !== 0) {
      this.#unloggedRows -= 1;
      this.#pending.addUnlogged(counts, logged);
    }
    this.#pending.add(counts);
  }

  /** The rows to append to the log. Some of them may have nothing to append anymore. */
  takeChanged(): number[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /**
   * Lists rows again if they still have something to append, each at most once, so that the list stays short if all
   * appends fail.
   */
  relist(some: readonly number[]): void {
    const rows = new Set([...some, ...this.#changed]);
    this.#changed = [...rows].filter(
      (row) => ((this.#rows[row * column.width + column.flags] ?? 0) & column.isUnlogged) !== 0,
    );
  }

  /** Moves the counts of rows with rejections, because packed counts have no room for the error codes. */
  moveRejectionsToPending(some: readonly number[]): void {
    for (const row of some) {
      if ((this.#rows[row * column.width + column.refused] ?? 0) > 0) this.moveToPending(row);
    }
  }

  /** Copies what rows without rejections have counted since they were last logged. */
  pack(some: readonly number[]): PackedCounts {
    return packRows(this.#rows, some, this.#addresses, this.#agents);
  }

  /** Called when packed rows are known to be in the log, in the turn in which they were packed. */
  setLogged(some: readonly number[]): void {
    const rows = this.#rows;
    for (const row of some) {
      const at = row * column.width;
      const flags = rows[at + column.flags] ?? 0;
      if ((flags & column.isUnlogged) === 0) continue;
      rows[at + column.logged] = rows[at + column.accepted] ?? 0;
      rows[at + column.flags] = flags & ~column.isUnlogged;
      this.#unloggedRows -= 1;
    }
  }

  /** Reads the counts of a key without moving them. */
  usesOf(keyId: string): SecretCounts[] {
    return this.#owners.rowsOf(keyId).flatMap((row) => this.of(row) ?? []);
  }

  /** Reads the counts of a workspace without moving them. */
  usesOfWorkspace(workspaceId: string): SecretCounts[] {
    return this.#rowsOfWorkspace(workspaceId).flatMap((row) => this.of(row) ?? []);
  }

  sampledUsesOf(keyId: string): SampledCounts[] {
    return this.#sampled(this.#owners.rowsOf(keyId));
  }

  sampledUsesOfWorkspace(workspaceId: string): SampledCounts[] {
    return this.#sampled(this.#rowsOfWorkspace(workspaceId));
  }

  /** While rows become pending, the list can name one twice: where it was, and after a later use. */
  #rowsOfWorkspace(workspaceId: string): number[] {
    return [...new Set(this.#counted.filter((row) => this.#owners.workspaceId(row) === workspaceId))];
  }

  #sampled(some: readonly number[]): SampledCounts[] {
    const counted = some.filter((row) => this.#isCounted(row * column.width));
    return counted.map((row) => {
      const counts = this.#countsAt(row * column.width);
      return { counts, samples: this.#samples.of(row, counts.accepted) };
    });
  }

  /** Reads the counts of a row without moving them. */
  of(row: number): SecretCounts | undefined {
    const rows = this.#rows;
    const at = row * column.width;
    if (!this.#isCounted(at)) return undefined;
    return {
      keyId: this.#owners.keyId(row),
      workspaceId: this.#owners.workspaceId(row),
      hash: this.#owners.hash(row),
      ...this.#countsAt(at),
      lastMs: rows[at + column.lastMs] ?? -1,
      changesLastUse: ((rows[at + column.flags] ?? 0) & column.changesLastUse) !== 0,
    };
  }

  #isCounted(at: number): boolean {
    return ((this.#rows[at + column.flags] ?? 0) & column.isCounted) !== 0;
  }

  /** Reads the columns of a row. It omits the owner, which takes longer to read. */
  #countsAt(at: number): SampledCounts['counts'] {
    const rows = this.#rows;
    const refused = rows[at + column.refused] ?? 0;
    return {
      hour: rows[at + column.hour] ?? 0,
      accepted: rows[at + column.accepted] ?? 0,
      refused,
      refusedBy: rejectionsIn(rows[at + column.flags] ?? 0, refused),
      address: this.#addresses.text(rows[at + column.address] ?? 0),
      agent: this.#agents.text(rows[at + column.agent] ?? 0),
    };
  }

  #setFlag(at: number, flag: number): void {
    this.#rows[at + column.flags] = (this.#rows[at + column.flags] ?? 0) | flag;
  }

  /** Prepares a row to count in the current hour. @returns the start of the hour in epoch ms */
  #begin(row: number, at: number, now: number): number {
    const rows = this.#rows;
    const hour = hourOf(now);
    if (rows[at + column.hour] !== hour) {
      this.moveToPending(row);
      rows[at + column.hour] = hour;
      rows[at + column.lastMs] = -1;
      this.#setFlag(at, column.changesLastUse);
    }
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.isUnlogged) === 0) this.#list(row, at, flags);
    return hourStart(hour);
  }

  /** Adds a row to the lists that do not contain it. */
  #list(row: number, at: number, flags: number): void {
    this.#rows[at + column.flags] = flags | column.isCounted | column.isUnlogged | column.isListed;
    if (this.#pending.hasLog) this.#changed.push(row);
    this.#unloggedRows += 1;
    if ((flags & column.isCounted) !== 0) return;
    this.#countedRows += 1;
    if ((flags & column.isListed) === 0) this.#counted.push(row);
  }

  /** Called before the request of the new client is counted. */
  #setClient(row: number, at: number, address: string, agent: string): void {
    const rows = this.#rows;
    const [oldAddress, oldAgent] = [rows[at + column.address] ?? 0, rows[at + column.agent] ?? 0];
    const accepted = rows[at + column.accepted] ?? 0;
    if (this.#samples.isBehind(row, accepted)) {
      this.#samples.change(row, accepted, this.#addresses.text(oldAddress), this.#agents.text(oldAgent));
    }
    rows[at + column.address] = this.#addresses.acquire(address);
    rows[at + column.agent] = this.#agents.acquire(truncateAgent(agent));
    this.#addresses.release(oldAddress);
    this.#agents.release(oldAgent);
    this.#setFlag(at, column.changesLastUse);
  }
}
