import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { LockMonitor } from './directory-lock-monitor.ts';
import { translateStorageError } from './storage-errors.ts';
import { StorageUnavailable } from './unavailable.ts';

/** Size of a probe in bytes: more than the pages that any change of keys writes. */
const probeSize = 64 * 1024;

/** How long the result of a probe is valid, in ms. */
const validity = { ok: 5000, failed: 1000 };

/** How long a probe may take, in ms. */
const timeoutMs = 1000;

interface Options {
  directory: string;
  lockMonitor: LockMonitor;
  /** Writes to the database itself, without waiting for the disk. */
  writeDatabase: () => Promise<void>;
  /** Monotonic ms. */
  now?: () => number;
}

/**
 * Checks whether changes can be stored at the moment. It writes a file beside the database and removes it, because on a
 * full or read-only disk only writes fail. It does so at most every few seconds and without a sync, so that frequent
 * callers cannot keep the disk busy. After a failed write to the database, only a successful one proves recovery.
 */
export class StorageHealth {
  readonly #options: Options;
  readonly #now: () => number;
  #probe: { at: number; result: Promise<StorageUnavailable | undefined> } | undefined;
  #validity = validity.ok;
  #databaseFailed = false;
  /** The running write. On an unresponsive disk no second one is started. */
  #write: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Call this when a write to the database has failed. */
  failed(failure: StorageUnavailable): void {
    this.#databaseFailed = true;
    this.#keep(Promise.resolve(failure));
    this.#validity = validity.failed;
  }

  /** @throws {StorageUnavailable} when nothing can be stored */
  async check(): Promise<void> {
    this.#options.lockMonitor.checkNow();
    const failure = await this.#current();
    if (failure !== undefined) throw failure;
  }

  #current(): Promise<StorageUnavailable | undefined> {
    const now = this.#now();
    if (this.#probe !== undefined && now - this.#probe.at < this.#validity) return this.#probe.result;
    // One probe at a time: the previous result stays valid until it ends.
    this.#validity = Number.POSITIVE_INFINITY;
    return this.#keep(this.#run());
  }

  #keep(result: Promise<StorageUnavailable | undefined>): Promise<StorageUnavailable | undefined> {
    this.#probe = { at: this.#now(), result };
    return result;
  }

  async #run(): Promise<StorageUnavailable | undefined> {
    let failure: StorageUnavailable | undefined;
    try {
      this.#write ??= this.#writeFile().finally(() => {
        this.#write = undefined;
      });
      await inTime(this.#write);
      if (this.#databaseFailed) await this.#options.writeDatabase();
      this.#databaseFailed = false;
    } catch (error) {
      const translated = translateStorageError(error);
      // A database that another program has locked is not a storage fault.
      if (translated instanceof StorageUnavailable) failure = translated;
    }
    this.#validity = failure === undefined ? validity.ok : validity.failed;
    return failure;
  }

  async #writeFile(): Promise<void> {
    const file = join(this.#options.directory, 'write-probe');
    try {
      await writeFile(file, randomBytes(probeSize), { mode: 0o600 });
    } finally {
      await rm(file, { force: true });
    }
  }
}

/** @throws {StorageUnavailable} when it takes too long */
async function inTime(work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = async () => {
    await wait(timeoutMs, undefined, { signal: over.signal, ref: false });
    throw new StorageUnavailable('The disk of the data directory has not responded for a second', {
      problem: 'silent',
      code: 'silent',
      rolledBack: true,
    });
  };
  try {
    await Promise.race([work, late()]);
  } finally {
    // The work may still reject after it has lost the race.
    work.catch(() => undefined);
    over.abort();
  }
}
