import type { Environment } from '@soku/contract/key-policy';
import * as column from './columns.ts';
import { type Access, coversAll, SharedAccess } from './shared-access.ts';
import type { VerifiedKey } from './stored-secret.ts';

/** What few keys have. Both end times are set if the secret retires at a set time. */
type KeyDetails = Pick<VerifiedKey, 'expiresAt' | 'retiresAt' | 'externalId' | 'metadata'>;

/**
 * What keys permit: flags and the number of the shared access in their rows, and what few keys have, outside the rows. A
 * row without a flag costs no look-up.
 */
export class RowDetails {
  readonly #rows: Int32Array;
  readonly #details = new Map<number, KeyDetails>();
  readonly #access = new SharedAccess();

  constructor(rows: Int32Array) {
    this.#rows = rows;
  }

  /** Called when a row was filled. */
  add(row: number, key: VerifiedKey): void {
    const at = row * column.width;
    this.#rows[at + column.flags] = (this.#rows[at + column.flags] ?? 0) | flagsOf(key);
    this.#rows[at + column.access] = this.#access.acquire(key.scopes, key.allowedAddresses);
    if (!hasDetails(key)) return;
    const { expiresAt, retiresAt, externalId, metadata } = key;
    this.#details.set(row, { expiresAt, retiresAt, externalId, metadata });
  }

  /** Called when a row becomes free, before its flags are cleared. */
  drop(row: number): void {
    if (this.#has(row, column.hasDetails)) this.#details.delete(row);
    this.#access.release(this.#rows[row * column.width + column.access] ?? 0);
  }

  /** Number of different scopes and allowed addresses of all rows. */
  get accesses(): number {
    return this.#access.size;
  }

  access(row: number): Access {
    return this.#access.of(this.#rows[row * column.width + column.access] ?? 0);
  }

  /** Whether the key holds all of these scopes. @param needs never changed by the caller */
  covers(row: number, needs: readonly string[]): boolean {
    return coversAll(this.access(row), needs);
  }

  /** Undefined for most keys. */
  of(row: number): KeyDetails | undefined {
    return this.#has(row, column.hasDetails) ? this.#details.get(row) : undefined;
  }

  /** Whether the key must be checked at each use. */
  isRestricted(row: number): boolean {
    return this.#has(row, column.isRestricted);
  }

  isDisabled(row: number): boolean {
    return this.#has(row, column.isDisabled);
  }

  environment(row: number): Environment {
    return this.#has(row, column.isTest) ? 'test' : 'live';
  }

  /** Whether the next use of the secret starts the grace period of older ones. */
  startsGrace(row: number): boolean {
    return this.#has(row, column.startsGrace);
  }

  /** Called when such a use was reported. */
  setGraceStarted(row: number): void {
    const at = row * column.width + column.flags;
    this.#rows[at] = (this.#rows[at] ?? 0) & ~column.startsGrace;
  }

  /** '' if there is none. */
  externalId(row: number): string {
    return this.of(row)?.externalId ?? '';
  }

  #has(row: number, flag: number): boolean {
    return ((this.#rows[row * column.width + column.flags] ?? 0) & flag) !== 0;
  }
}

function hasDetails({ retiresAt, externalId, metadata }: VerifiedKey): boolean {
  const retires = retiresAt !== Number.POSITIVE_INFINITY;
  return retires || externalId !== null || metadata !== null;
}

function flagsOf(key: VerifiedKey): number {
  const { disabled, environment, allowedAddresses } = key;
  const isTest = environment === 'test';
  return (
    (disabled || isTest || allowedAddresses !== null ? column.isRestricted : 0) |
    (disabled ? column.isDisabled : 0) |
    (isTest ? column.isTest : 0) |
    (hasDetails(key) ? column.hasDetails : 0) |
    (key.startsGrace ? column.startsGrace : 0)
  );
}
