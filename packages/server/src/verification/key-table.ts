import { randomBytes } from 'node:crypto';
import type { KeyLimits } from '../limits/key-limits.ts';
import type { LimitWindow } from '../limits/sliding-window.ts';
import type { PendingUses } from '../usage/pending-uses.ts';
import type { Policy } from './check-policy.ts';
import * as column from './columns.ts';
import { HashIndex, hashText, hashWords } from './hash-index.ts';
import { decodeHash, encodeHash, matchesAt } from './hash-words.ts';
import { RowDetails } from './row-details.ts';
import { decodeName, RowTexts } from './row-texts.ts';
import { RowUsage } from './row-usage.ts';
import { RowWindows } from './row-windows.ts';
import { RowWorkspaces } from './row-workspaces.ts';
import type { EndedSecret, VerifiedKey } from './stored-secret.ts';

/** How many recently used rows one insertion may skip: longer scans would delay other verifications. */
const maxSkipped = 64;

/** The index that stands for "not found". */
export const noRow = -1;

/** The workspace of rows whose hash does not belong to a key. */
const noWorkspace = '-';

const never = Number.POSITIVE_INFINITY;

/**
 * A bounded cache of secrets by their SHA-256 with CLOCK ("second chance") eviction. A row is identified by its index,
 * which is valid only until the end of the event-loop turn in which it was found; copy the data to keep it longer.
 *
 * Memory is reserved for all rows at once, and the operating system commits it as rows are written.
 */
export class KeyTable {
  readonly #capacity: number;
  readonly #rows: Int32Array<ArrayBuffer>;
  /**
   * The same memory, for the column `end`: epoch ms from which the row may be rejected, because its key expires or the
   * secret retires. Infinity means never.
   */
  readonly #floats: Float64Array;
  readonly details: RowDetails;
  readonly texts: RowTexts;
  readonly #byHash: HashIndex;
  readonly #byKey: HashIndex;
  readonly #seed = randomBytes(4).readInt32LE();
  /** Scratch space for the hash of the current search. */
  readonly #words = new Int32Array(8);
  readonly #workspaces = new RowWorkspaces();
  readonly usage: RowUsage;
  readonly windows: RowWindows;
  #size = 0;
  /** Rows below this index have been used at least once. */
  #fresh = 0;
  /** The first free row plus 1, or 0 if there is none. */
  #free = 0;
  /** Where the search for a row to evict continues. */
  #hand = 0;

  /**
   * @param capacity maximum number of secrets, at least 1
   * @param pending receives the usage counts of evicted secrets
   * @param limits receives the rate-limit windows of evicted keys
   */
  constructor(capacity: number, pending: PendingUses, limits: KeyLimits) {
    this.#capacity = capacity;
    this.#rows = new Int32Array(capacity * column.width);
    this.#floats = new Float64Array(this.#rows.buffer);
    this.details = new RowDetails(this.#rows);
    this.texts = new RowTexts(this.#rows);
    const buckets = 2 ** Math.ceil(Math.log2(capacity));
    this.#byHash = new HashIndex(this.#rows, column.nextByHash, 2 * buckets);
    this.#byKey = new HashIndex(this.#rows, column.nextByKey, buckets);
    this.usage = new RowUsage(this.#rows, this, pending);
    this.windows = new RowWindows(this.#rows, this, limits);
  }

  /** Number of secrets, including those that are out of date. */
  get size(): number {
    return this.#size;
  }

  /** Number of strings that are stored outside the rows. */
  get sharedTexts(): number {
    return this.#workspaces.size + this.details.accesses + this.texts.longTexts + this.usage.texts;
  }

  /** @param hash 32 latin-1 characters. @returns the row of an up-to-date secret, or -1 */
  find(hash: string): number {
    const row = this.#search(hash);
    if (row === noRow) return noRow;
    const rows = this.#rows;
    const at = row * column.width;
    if (this.#isOutOfDate(at)) return noRow;
    const flags = rows[at + column.flags] ?? 0;
    // Written only when it changes, to avoid a write-back of the cache line.
    if ((flags & column.wasUsed) === 0) rows[at + column.flags] = flags | column.wasUsed;
    return row;
  }

  /** Adds or replaces a valid secret. @returns its row */
  add(hash: string, key: VerifiedKey): number {
    const { expiresAt, retiresAt } = key;
    const row = this.#add(hash, 0, key.workspaceId, Math.min(expiresAt, retiresAt));
    const at = row * column.width;
    this.#rows[at + column.limit] = key.rateLimit ?? 0;
    this.details.add(row, key);
    this.#nameKey(row, key.keyId, key.name);
    return row;
  }

  /** Adds or replaces a secret that is always rejected. @param ended undefined if no key has the secret */
  addRejected(hash: string, ended: EndedSecret | undefined): number {
    if (ended === undefined) return this.#add(hash, 0, noWorkspace, never);
    const { standing, keyId, workspaceId, since } = ended;
    const flag = standing === 'revoked' ? column.isRevoked : column.isRetired;
    const row = this.#add(hash, flag, workspaceId, since);
    this.#nameKey(row, keyId, '');
    return row;
  }

  /** Removes a secret, if present. */
  drop(hash: string): void {
    const row = this.#search(hash);
    if (row !== noRow) this.#drop(row);
  }

  /** Invalidates all secrets of a workspace in constant time. */
  dropWorkspace(workspaceId: string): void {
    this.#workspaces.drop(workspaceId);
  }

  /**
   * Invalidates all secrets. The cost grows with the number of workspaces only: rows are reused later, one by one,
   * because clearing a million rows would block the event loop for seconds.
   */
  clear(): void {
    this.#workspaces.dropAll();
  }

  keyId(row: number): string {
    return this.texts.keyId(row);
  }

  workspaceId(row: number): string {
    return this.#workspaces.text(this.#rows[row * column.width + column.workspace] ?? 0);
  }

  /** Separated by spaces. */
  scopes(row: number): string {
    return this.details.access(row).scopeText;
  }

  /** Requests per minute; 0 means no limit. */
  limit(row: number): number {
    return this.#rows[row * column.width + column.limit] ?? 0;
  }

  /** Epoch ms from which the key may be rejected, because it expires or the secret retires; Infinity means never. */
  end(row: number): number {
    return this.#floats[endOf(row)] ?? never;
  }

  /** What the key permits. */
  policy(row: number): Policy {
    const { scopes, allowedAddresses } = this.details.access(row);
    const limit = this.limit(row);
    const details = this.details.of(row);
    return {
      scopes,
      expiresAt: details?.expiresAt ?? this.end(row),
      retiresAt: details?.retiresAt ?? never,
      disabled: this.details.isDisabled(row),
      environment: this.details.environment(row),
      allowedAddresses,
      rateLimit: limit === 0 ? null : limit,
    };
  }

  /** Copies the row into an object that may be kept. */
  read(row: number): VerifiedKey {
    const [keyId, name] = this.texts.idAndName(row);
    const { externalId = null, metadata = null } = this.details.of(row) ?? {};
    const identity = { keyId, workspaceId: this.workspaceId(row), name: decodeName(name) };
    const startsGrace = this.details.startsGrace(row);
    return { ...identity, externalId, metadata, startsGrace, ...this.policy(row) };
  }

  /** Copies the row of a rejected secret. @returns undefined if no key has the secret */
  readEnded(row: number): EndedSecret | undefined {
    const flags = this.#rows[row * column.width + column.flags] ?? 0;
    if ((flags & (column.isRevoked | column.isRetired)) === 0) return undefined;
    return {
      standing: (flags & column.isRevoked) === 0 ? 'retired' : 'revoked',
      keyId: this.keyId(row),
      workspaceId: this.workspaceId(row),
      since: this.end(row),
    };
  }

  /** The SHA-256 of the secret, as 32 latin-1 characters. */
  hash(row: number): string {
    const at = row * column.width + column.hash;
    return encodeHash(this.#rows.subarray(at, at + 8));
  }

  /** The windows in rows that still affect a limit. @param now epoch ms */
  countingWindows(now: number): Iterable<[string, LimitWindow]> {
    return this.windows.counting(this.#fresh, now);
  }

  /** The rows of a key: usually one, several if the key has several secrets. */
  rowsOf(keyId: string): number[] {
    const rows: number[] = [];
    for (
      let row = this.#byKey.first(hashText(keyId, this.#seed));
      row !== noRow;
      row = this.#byKey.next(row)
    ) {
      if (this.keyId(row) === keyId) rows.push(row);
    }
    return rows;
  }

  #add(hash: string, flags: number, workspaceId: string, end: number): number {
    this.drop(hash);
    const row = this.#takeRow();
    const rows = this.#rows;
    const at = row * column.width;
    decodeHash(hash, this.#words);
    const listed = (rows[at + column.flags] ?? 0) & column.isListed;
    rows.fill(0, at, at + column.width);
    rows.set(this.#words, at + column.hash);
    rows[at + column.flags] = flags | listed;
    rows[at + column.workspace] = this.#workspaces.acquire(workspaceId);
    this.#floats[endOf(row)] = end;
    this.#byHash.link(hashWords(this.#words, this.#seed), row);
    this.#size += 1;
    return row;
  }

  #nameKey(row: number, keyId: string, name: string): void {
    this.texts.write(row, keyId, name);
    this.#byKey.link(hashText(keyId, this.#seed), row);
  }

  #search(hash: string): number {
    const words = this.#words;
    decodeHash(hash, words);
    const rows = this.#rows;
    let row = this.#byHash.first(hashWords(words, this.#seed));
    while (row !== noRow && !matchesAt(words, rows, row * column.width)) row = this.#byHash.next(row);
    return row;
  }

  /** Returns a free row, evicting one if necessary. */
  #takeRow(): number {
    if (this.#size >= this.#capacity) this.#drop(this.#nextToEvict());
    if (this.#free === 0) {
      this.#fresh += 1;
      return this.#fresh - 1;
    }
    const row = this.#free - 1;
    this.#free = this.#rows[row * column.width + column.nextByHash] ?? 0;
    return row;
  }

  #isOutOfDate(at: number): boolean {
    return this.#workspaces.isOutOfDate(this.#rows[at + column.workspace] ?? 0);
  }

  /**
   * Finds the row to evict when the table is full. If all rows were used recently, the scan would clear the flag of
   * every row in one turn, so it stops after a limited number of rows.
   */
  #nextToEvict(): number {
    for (let skipped = 0; ; skipped++) {
      const row = this.#hand;
      this.#hand = row + 1 === this.#capacity ? 0 : row + 1;
      const at = row * column.width;
      const flags = this.#rows[at + column.flags] ?? 0;
      if ((flags & column.wasUsed) === 0 || this.#isOutOfDate(at) || skipped === maxSkipped) return row;
      this.#rows[at + column.flags] = flags & ~column.wasUsed;
    }
  }

  #drop(row: number): void {
    const rows = this.#rows;
    const at = row * column.width;
    this.usage.release(row);
    this.windows.release(row);
    this.#words.set(rows.subarray(at + column.hash, at + column.hash + 8));
    this.#byHash.unlink(hashWords(this.#words, this.#seed), row);
    const keyId = this.keyId(row);
    if (keyId !== '') this.#byKey.unlink(hashText(keyId, this.#seed), row);
    this.#workspaces.release(rows[at + column.workspace] ?? 0);
    this.details.drop(row);
    this.texts.drop(row);
    rows[at + column.flags] = (rows[at + column.flags] ?? 0) & column.isListed;
    rows[at + column.nextByHash] = this.#free;
    this.#free = row + 1;
    this.#size -= 1;
  }
}

/** The index of the column `end` among 64-bit numbers. */
function endOf(row: number): number {
  return (row * column.width + column.end) / 2;
}
