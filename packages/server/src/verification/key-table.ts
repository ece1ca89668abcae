import { randomBytes } from 'node:crypto';
import type { KeyLimits } from '../limits/key-limits.ts';
import type { Window } from '../limits/sliding-window.ts';
import type { HeldUses } from '../usage/held-uses.ts';
import { Chains, mix, mixText } from './chains.ts';
import * as column from './columns.ts';
import { areAt, hashOfWords, readHash } from './hash-words.ts';
import type { EndedSecret, VerifiedKey } from './known-secret.ts';
import { RowTexts } from './row-texts.ts';
import { RowUsage } from './row-usage.ts';
import { RowWindows } from './row-windows.ts';
import { SharedTexts } from './shared-texts.ts';

/** How many rows in use one insertion may spare: it must not hold up everybody else's verification. */
const mostSpared = 64;

/** No row. */
export const none = -1;

/** Stands for a workspace in the rows of hashes that no key has. */
const noWorkspace = '-';

const never = Number.POSITIVE_INFINITY;

/**
 * A bounded cache of secrets by their SHA-256, which keeps what is used ("second chance", also called CLOCK). A row is
 * a number. It holds the same secret until the end of the turn in which it was found, and no longer: who needs more of
 * it takes a copy.
 *
 * Memory is reserved for all rows at once, and taken by the operating system as they are written.
 */
export class KeyTable {
  readonly #capacity: number;
  readonly #rows: Int32Array;
  /** Epoch ms from which on the row may be rejected: its key expires, or the secret retires. Infinity is never. */
  readonly #ends: Float64Array;
  /** Both times of the few secrets that a rotation lets retire. */
  readonly #retirements = new Map<number, Pick<VerifiedKey, 'expiresAt' | 'retiresAt'>>();
  readonly #texts: RowTexts;
  readonly #byHash: Chains;
  readonly #byKey: Chains;
  readonly #seed = randomBytes(4).readInt32LE();
  /** The hash that is looked for. */
  readonly #words = new Int32Array(8);
  readonly #workspaces = new SharedTexts();
  readonly #scopes = new SharedTexts();
  /** By the number of a workspace: whether all its rows are out of date. */
  readonly #outOfDate: boolean[] = [];
  readonly usage: RowUsage;
  readonly windows: RowWindows;
  #size = 0;
  /** Rows below it have held something. */
  #fresh = 0;
  /** The first of the rows that were dropped, plus 1; 0 is none. */
  #free = 0;
  /** Where the search for a row to give up goes on. */
  #hand = 0;

  /**
   * @param capacity most secrets that it holds, at least 1
   * @param held where the uses of secrets go that it holds no more
   * @param limits where the windows of their keys go
   */
  constructor(capacity: number, held: HeldUses, limits: KeyLimits) {
    this.#capacity = capacity;
    this.#rows = new Int32Array(capacity * column.width);
    this.#ends = new Float64Array(capacity);
    this.#texts = new RowTexts(this.#rows, capacity);
    const places = 2 ** Math.ceil(Math.log2(capacity));
    this.#byHash = new Chains(this.#rows, column.nextByHash, 2 * places);
    this.#byKey = new Chains(this.#rows, column.nextByKey, places);
    this.usage = new RowUsage(this.#rows, this, held);
    this.windows = new RowWindows(this.#rows, this, limits);
  }

  /** How many secrets it holds, those among them that are out of date. */
  get size(): number {
    return this.#size;
  }

  /** How many texts it keeps beside the rows. */
  get texts(): number {
    return this.#workspaces.size + this.#scopes.size + this.#texts.longTexts + this.usage.texts;
  }

  /** @param hash as 32 latin-1 characters. @returns the row of a secret that is up to date, or `none` */
  find(hash: string): number {
    const row = this.#search(hash);
    if (row === none) return none;
    const rows = this.#rows;
    const at = row * column.width;
    if (this.#isOutOfDate(at)) return none;
    const flags = rows[at + column.flags] ?? 0;
    // Not written each time: the processor would have to write the line of its cache back.
    if ((flags & column.wasUsed) === 0) rows[at + column.flags] = flags | column.wasUsed;
    return row;
  }

  /** Puts a secret that is accepted into the table, in place of what it had of it. @returns its row */
  add(hash: string, key: VerifiedKey): number {
    const { expiresAt, retiresAt } = key;
    const row = this.#add(hash, 0, key.workspaceId, Math.min(expiresAt, retiresAt));
    const at = row * column.width;
    this.#rows[at + column.scopes] = this.#scopes.take(key.scopes.join(' '));
    this.#rows[at + column.limit] = key.rateLimit ?? 0;
    if (retiresAt !== never) this.#retirements.set(row, { expiresAt, retiresAt });
    this.#nameKey(row, key.keyId, key.name);
    return row;
  }

  /** The same for one that is rejected at any time. @param ended undefined when no key has it */
  addRejected(hash: string, ended: EndedSecret | undefined): number {
    if (ended === undefined) return this.#add(hash, 0, noWorkspace, never);
    const { standing, keyId, workspaceId, since } = ended;
    const flag = standing === 'revoked' ? column.isRevoked : column.isRetired;
    const row = this.#add(hash, flag, workspaceId, since);
    this.#nameKey(row, keyId, '');
    return row;
  }

  /** Takes a secret out of the table, if it is there. */
  drop(hash: string): void {
    const row = this.#search(hash);
    if (row !== none) this.#drop(row);
  }

  /** Makes all secrets of a workspace out of date, however many there are. */
  dropWorkspace(workspaceId: string): void {
    const number = this.#workspaces.retire(workspaceId);
    if (number !== undefined) this.#outOfDate[number] = true;
  }

  /**
   * Makes all secrets out of date, at the cost of a look at each workspace: the rows are reused later, one by one, or a
   * table of a million would stop the event loop for seconds.
   */
  clear(): void {
    for (const number of this.#workspaces.retireAll()) this.#outOfDate[number] = true;
  }

  keyId(row: number): string {
    return this.#texts.keyId(row);
  }

  /** The name of the key, URL-encoded, so that it fits into a header field. */
  encodedName(row: number): string {
    return this.#texts.encodedName(row);
  }

  workspaceId(row: number): string {
    return this.#workspaces.text(this.#rows[row * column.width + column.workspace] ?? 0);
  }

  /** Separated by spaces. */
  scopes(row: number): string {
    return this.#scopes.text(this.#rows[row * column.width + column.scopes] ?? 0);
  }

  /** Requests a minute; 0 is no limit. */
  limit(row: number): number {
    return this.#rows[row * column.width + column.limit] ?? 0;
  }

  /** Whether it is so late that the key may have expired, or the secret retired. @param now epoch ms */
  mayHaveEnded(row: number, now: number): boolean {
    return (this.#ends[row] ?? never) <= now;
  }

  /** A copy of what the row says, which may be kept. */
  read(row: number): VerifiedKey {
    const [scopes, limit] = [this.scopes(row), this.limit(row)];
    const ends = this.#retirements.get(row) ?? { expiresAt: this.#ends[row] ?? never, retiresAt: never };
    return {
      keyId: this.keyId(row),
      workspaceId: this.workspaceId(row),
      name: decodeURIComponent(this.encodedName(row)),
      scopes: scopes === '' ? [] : scopes.split(' '),
      ...ends,
      rateLimit: limit === 0 ? null : limit,
    };
  }

  /** The same of a secret that is rejected. @returns undefined when no key has it */
  readEnded(row: number): EndedSecret | undefined {
    const flags = this.#rows[row * column.width + column.flags] ?? 0;
    if ((flags & (column.isRevoked | column.isRetired)) === 0) return undefined;
    return {
      standing: (flags & column.isRevoked) === 0 ? 'retired' : 'revoked',
      keyId: this.keyId(row),
      workspaceId: this.workspaceId(row),
      since: this.#ends[row] ?? Number.NaN,
    };
  }

  /** SHA-256 of a row's secret, as 32 latin-1 characters. */
  hash(row: number): string {
    const at = row * column.width + column.hash;
    return hashOfWords(this.#rows.subarray(at, at + 8));
  }

  /** The windows in rows that still count something. @param now epoch ms */
  countingWindows(now: number): Iterable<[string, Window]> {
    return this.windows.counting(this.#fresh, now);
  }

  /** The rows of a key: mostly one; more with several secrets. */
  rowsOf(keyId: string): number[] {
    const rows: number[] = [];
    for (let row = this.#byKey.first(mixText(keyId, this.#seed)); row !== none; row = this.#byKey.next(row)) {
      if (this.keyId(row) === keyId) rows.push(row);
    }
    return rows;
  }

  #add(hash: string, flags: number, workspaceId: string, end: number): number {
    this.drop(hash);
    const row = this.#takeRow();
    const rows = this.#rows;
    const at = row * column.width;
    readHash(hash, this.#words);
    rows.fill(0, at, at + column.width);
    rows.set(this.#words, at + column.hash);
    rows[at + column.flags] = flags;
    const workspace = this.#workspaces.take(workspaceId);
    this.#outOfDate[workspace] = false;
    rows[at + column.workspace] = workspace;
    this.#ends[row] = end;
    this.#byHash.link(mix(this.#words, this.#seed), row);
    this.#size += 1;
    return row;
  }

  #nameKey(row: number, keyId: string, name: string): void {
    this.#texts.write(row, keyId, name);
    this.#byKey.link(mixText(keyId, this.#seed), row);
  }

  #search(hash: string): number {
    const words = this.#words;
    readHash(hash, words);
    const rows = this.#rows;
    let row = this.#byHash.first(mix(words, this.#seed));
    while (row !== none && !areAt(words, rows, row * column.width)) row = this.#byHash.next(row);
    return row;
  }

  /** A row that is free, or is made so. */
  #takeRow(): number {
    if (this.#size >= this.#capacity) this.#drop(this.#nextToGo());
    if (this.#free === 0) {
      this.#fresh += 1;
      return this.#fresh - 1;
    }
    const row = this.#free - 1;
    this.#free = this.#rows[row * column.width + column.nextByHash] ?? 0;
    return row;
  }

  #isOutOfDate(at: number): boolean {
    return this.#outOfDate[this.#rows[at + column.workspace] ?? 0] === true;
  }

  /**
   * Called when all rows hold a secret. In a table whose rows are all in use it would take the flag from each of them at
   * once, so after some of them the next one goes.
   */
  #nextToGo(): number {
    for (let spared = 0; ; spared++) {
      const row = this.#hand;
      this.#hand = row + 1 === this.#capacity ? 0 : row + 1;
      const at = row * column.width;
      const flags = this.#rows[at + column.flags] ?? 0;
      if ((flags & column.wasUsed) === 0 || this.#isOutOfDate(at) || spared === mostSpared) return row;
      this.#rows[at + column.flags] = flags & ~column.wasUsed;
    }
  }

  #drop(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.usage.leave(row);
    this.windows.leave(row);
    this.#words.set(rows.subarray(at + column.hash, at + column.hash + 8));
    this.#byHash.unlink(mix(this.#words, this.#seed), row);
    const keyId = this.keyId(row);
    if (keyId !== '') this.#byKey.unlink(mixText(keyId, this.#seed), row);
    this.#workspaces.release(rows[at + column.workspace] ?? 0);
    this.#scopes.release(rows[at + column.scopes] ?? 0);
    this.#retirements.delete(row);
    this.#texts.drop(row);
    rows[at + column.flags] = 0;
    rows[at + column.nextByHash] = this.#free;
    this.#free = row + 1;
    this.#size -= 1;
  }
}
