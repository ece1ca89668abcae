import { type ErrorCode, errorCodeNames } from '@soku/contract/error-codes';
import { maxStoredAgentLength, truncateAgent } from '../http/user-agent.ts';
import type { CountingTable } from '../usage/counting-table.ts';
import { hourOf, hourStart, useStep } from '../usage/hours.ts';
import { isInRange, type KeyIdRange } from '../usage/key-range.ts';
import { type PackedCounts, Packer } from '../usage/packed-counts.ts';
import type { PendingUses, SecretCounts } from '../usage/pending-uses.ts';
import { noRejections, type Rejections } from '../usage/rejection-counts.ts';
import * as column from './columns.ts';
import { InternedStrings } from './interned-strings.ts';

/** What RowUsage reads of a row besides its counts. */
interface Whose {
  keyId(row: number): string;
  workspaceId(row: number): string;
  hash(row: number): string;
  rowsOf(keyId: string): number[];
}

/** The position of each code, for the column of flags. */
const codeNumbers = new Map<ErrorCode, number>(errorCodeNames.map((code, number) => [code, number]));

/**
 * Counts the uses of the secrets in a table until they are passed on. Meanwhile they may be appended to the log, which
 * gets what a row has counted since its counts were last appended.
 */
export class RowUsage implements CountingTable {
  readonly #rows: Int32Array;
  readonly #whose: Whose;
  /** Receives the counts. */
  readonly #held: PendingUses;
  /** All rows with counts, and others that have lost theirs, each once (`isListed`). So it is never longer than the table. */
  readonly #counted: number[] = [];
  /** Rows with counts that are not in the log. A row that lost its counts since then may still be listed. */
  #changed: number[] = [];
  #size = 0;
  #unlogged = 0;
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

  /** Number of rows with counts that are not in the log. */
  get unlogged(): number {
    return this.#unlogged;
  }

  /** @param now epoch ms */
  accept(row: number, now: number, address: string, agent: string): void {
    const rows = this.#rows;
    const at = row * column.width;
    const start = this.#begin(row, at, now);
    rows[at + column.accepted] = (rows[at + column.accepted] ?? 0) + 1;
    const ms = now - start;
    if (!isSameUse(ms, rows[at + column.lastMs] ?? -1)) this.#setFlag(at, column.changesLastUse);
    rows[at + column.lastMs] = ms;
    if (
      this.#addresses.text(rows[at + column.address] ?? 0) !== address ||
      this.#agents.text(rows[at + column.agent] ?? 0) !== agent
    ) {
      this.#setClient(at, address, agent);
    }
  }

  /**
   * A row counts rejections of one code at a time, because most keys are rejected for one reason only.
   *
   * @param now epoch ms
   */
  reject(row: number, now: number, code: ErrorCode): void {
    const rows = this.#rows;
    const at = row * column.width;
    const bits = (codeNumbers.get(code) ?? 0) << column.rejectionShift;
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.rejectionMask) !== bits) {
      if ((rows[at + column.refused] ?? 0) > 0) this.hold(row);
      rows[at + column.flags] = ((rows[at + column.flags] ?? 0) & ~column.rejectionMask) | bits;
    }
    this.#begin(row, at, now);
    rows[at + column.refused] = (rows[at + column.refused] ?? 0) + 1;
  }

  /** Called before a row is freed or reused. */
  leave(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.hold(row);
    this.#addresses.release(rows[at + column.address] ?? 0);
    this.#agents.release(rows[at + column.agent] ?? 0);
    rows.fill(0, at + column.accepted, at + column.agent + 1);
  }

  sampleKeys(every: number): string[] {
    const keys: string[] = [];
    for (let i = 0; i < this.#counted.length; i += every) keys.push(this.#whose.keyId(this.#counted[i] ?? 0));
    return keys;
  }

  *holdAll(keys: KeyIdRange): Generator<undefined, void> {
    // In place, because the list can be long, and an array that is replaced stays in memory for a while.
    const counted = this.#counted;
    const end = counted.length;
    let kept = 0;
    for (let i = 0; i < end; i++) {
      const row = counted[i] ?? 0;
      const flags = row * column.width + column.flags;
      const isCounted = ((this.#rows[flags] ?? 0) & column.isCounted) !== 0;
      if (isCounted && !isInRange(this.#whose.keyId(row), keys)) {
        counted[kept++] = row;
      } else {
        this.hold(row);
        this.#rows[flags] = (this.#rows[flags] ?? 0) & ~column.isListed;
      }
      yield;
    }
    // After the end are rows that were counted in meanwhile.
    counted.copyWithin(kept, end);
    counted.length -= end - kept;
  }

  /** Passes the counts of a row on, if it has any. */
  hold(row: number): void {
    const counts = this.of(row);
    if (counts === undefined) return;
    const rows = this.#rows;
    const at = row * column.width;
    const flags = rows[at + column.flags] ?? 0;
    const logged = rows[at + column.logged] ?? 0;
    rows[at + column.accepted] = 0;
    rows[at + column.logged] = 0;
    rows[at + column.refused] = 0;
    // The last use is written only with accepted uses, so otherwise it still must be.
    const handed = counts.accepted > 0 ? column.changesLastUse : 0;
    rows[at + column.flags] = flags & ~(handed | column.isCounted | column.isUnlogged);
    this.#size -= 1;
    if ((flags & column.isUnlogged) !== 0) {
      this.#unlogged -= 1;
      this.#held.addUnlogged(counts, logged);
    }
    this.#held.add(counts);
  }

  /** The rows to append to the log. Some of them may have nothing to append any more. */
  takeChanged(): number[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /** Lists those of these rows again that still have something to append, each once: if all appends fail, the list stays short. */
  relist(some: readonly number[]): void {
    const rows = new Set([...some, ...this.#changed]);
    this.#changed = [...rows].filter(
      (row) => ((this.#rows[row * column.width + column.flags] ?? 0) & column.isUnlogged) !== 0,
    );
  }

  /** Passes on the counts of those rows that have rejections, because packed counts have no room for their codes. */
  holdRejections(some: readonly number[]): void {
    for (const row of some) {
      if ((this.#rows[row * column.width + column.refused] ?? 0) > 0) this.hold(row);
    }
  }

  /** Copies what rows without rejections have counted since they were last logged. */
  pack(some: readonly number[]): PackedCounts {
    const rows = this.#rows;
    const packer = new Packer(some.length);
    // A row is listed twice if its counts were passed on in between.
    for (const row of new Set(some)) {
      const at = row * column.width;
      const flags = rows[at + column.flags] ?? 0;
      if ((flags & column.isUnlogged) === 0) continue;
      packer.addHash(rows, at + column.hash);
      packer.addUse({
        hour: rows[at + column.hour] ?? 0,
        accepted: (rows[at + column.accepted] ?? 0) - (rows[at + column.logged] ?? 0),
        lastMs: rows[at + column.lastMs] ?? -1,
        client: this.#packedClient(packer, at),
        changesLastUse: (flags & column.changesLastUse) !== 0,
      });
    }
    return packer.finish();
  }

  #packedClient(packer: Packer, at: number): number {
    const address = this.#rows[at + column.address] ?? 0;
    const agent = this.#rows[at + column.agent] ?? 0;
    const known = packer.client(address, agent);
    return (
      known ?? packer.addClient(address, agent, [this.#addresses.text(address), this.#agents.text(agent)])
    );
  }

  /** Called in the turn in which packed rows are known to be in the log, which is the turn in which they were packed. */
  setLogged(some: readonly number[]): void {
    const rows = this.#rows;
    for (const row of some) {
      const at = row * column.width;
      const flags = rows[at + column.flags] ?? 0;
      if ((flags & column.isUnlogged) === 0) continue;
      rows[at + column.logged] = rows[at + column.accepted] ?? 0;
      rows[at + column.flags] = flags & ~column.isUnlogged;
      this.#unlogged -= 1;
    }
  }

  /** Reads the counts of a key without passing them on. */
  usesOf(keyId: string): SecretCounts[] {
    return this.#whose.rowsOf(keyId).flatMap((row) => this.of(row) ?? []);
  }

  /** Reads the counts of a workspace without passing them on. */
  usesOfWorkspace(workspaceId: string): SecretCounts[] {
    const rows = new Set<number>();
    for (const row of this.#counted) if (this.#whose.workspaceId(row) === workspaceId) rows.add(row);
    return [...rows].flatMap((row) => this.of(row) ?? []);
  }

  /** Reads the counts of a row without passing them on. */
  of(row: number): SecretCounts | undefined {
    const rows = this.#rows;
    const at = row * column.width;
    if (((rows[at + column.flags] ?? 0) & column.isCounted) === 0) return undefined;
    return {
      keyId: this.#whose.keyId(row),
      workspaceId: this.#whose.workspaceId(row),
      hash: this.#whose.hash(row),
      hour: rows[at + column.hour] ?? 0,
      accepted: rows[at + column.accepted] ?? 0,
      refused: rows[at + column.refused] ?? 0,
      refusedBy: this.#rejectionsOf(at),
      lastMs: rows[at + column.lastMs] ?? -1,
      address: this.#addresses.text(rows[at + column.address] ?? 0),
      agent: this.#agents.text(rows[at + column.agent] ?? 0),
      changesLastUse: ((rows[at + column.flags] ?? 0) & column.changesLastUse) !== 0,
    };
  }

  #rejectionsOf(at: number): Rejections {
    const refused = this.#rows[at + column.refused] ?? 0;
    if (refused === 0) return noRejections;
    const number = ((this.#rows[at + column.flags] ?? 0) & column.rejectionMask) >> column.rejectionShift;
    return { [errorCodeNames[number] ?? 'other']: refused };
  }

  #setFlag(at: number, flag: number): void {
    this.#rows[at + column.flags] = (this.#rows[at + column.flags] ?? 0) | flag;
  }

  /** Prepares a row to count in the current hour. @returns the start of the hour in epoch ms */
  #begin(row: number, at: number, now: number): number {
    const rows = this.#rows;
    const hour = hourOf(now);
    if (rows[at + column.hour] !== hour) {
      this.hold(row);
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
    if (this.#held.hasLog) this.#changed.push(row);
    this.#unlogged += 1;
    if ((flags & column.isCounted) !== 0) return;
    this.#size += 1;
    if ((flags & column.isListed) === 0) this.#counted.push(row);
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
    this.#setFlag(at, column.changesLastUse);
  }
}

/** Whether two times of an hour are in the same five minutes, in ms from its start. */
function isSameUse(one: number, other: number): boolean {
  return Math.floor(one / useStep) === Math.floor(other / useStep);
}
