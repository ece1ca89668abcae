import type { Logger } from 'pino';
import type { DataDirectory } from '../database/data-directory.ts';
import type { Hold } from '../database/directory-hold.ts';
import type { Database } from '../database/open.ts';
import { RequestError } from '../http/errors.ts';
import { atMostEvery } from '../http/logging.ts';
import { exitCodes, StartupError } from '../startup-error.ts';
import { later, Repeating } from '../timers/repeating.ts';
import {
  differences,
  digits,
  type Reapplied,
  revokedAmong,
  revokeMissing,
  seemsOlder,
  slices,
} from './compare.ts';
import { type Inspection, RevokedHashFile } from './file.ts';

/** ms between two runs of the work in the background. */
const interval = 1000;

/** ms between two log lines about revokes that could not be written. */
const failureInterval = 10_000;

/** Changed hashes that are looked up at a time. */
const atOnce = 1000;

/** Most changed hashes that wait to be looked up; above it, all hashes are compared. */
const mostChanged = 100_000;

/**
 * The revoked hashes, kept in the data directory and separate from the database, so that neither a restored backup nor
 * a snapshot of the disk makes a revoked key valid again (docs/operations/backup.md).
 */
export class RevocationJournal {
  readonly #file: RevokedHashFile;
  readonly #hold: Hold;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #background: Repeating;
  /** Hashes of keys that a node has changed; not all of them are revoked. */
  #changed: Uint8Array[] = [];
  /** After a start, and when changes may have been missed. */
  #mustCompare = true;
  #failedWrites = 0;
  readonly #stopping = new AbortController();
  #onReapplied: (hashes: Uint8Array[]) => void = () => undefined;

  readonly #logFailure = atMostEvery(failureInterval, (error: unknown, unsaid) =>
    this.#log.error({ err: error, unsaid }, 'a revoke could not be written to the revocation journal'),
  );

  constructor({ path, hold }: Pick<DataDirectory, 'path' | 'hold'>, database: Database, log: Logger) {
    this.#file = new RevokedHashFile(path, () => {
      log.warn(
        'The revocation journal was moved away, replaced or changed while the server runs: it is compared with the database',
      );
      this.changesMissed();
    });
    this.#hold = hold;
    this.#database = database;
    this.#log = log;
    this.#background = new Repeating(() => this.#catchUp(), {
      interval,
      failed: (error) => log.error({ err: error }, 'the revocation journal lags behind'),
      later,
    });
  }

  /**
   * Revokes again what an older database has as valid. Call it before anything is verified. It handles what it can
   * detect at once; a full comparison runs in the background.
   *
   * @throws {StartupError} 65 when the journal is damaged, 73 when it cannot be used
   */
  async start(): Promise<void> {
    const { tail, count } = await this.#inspect();
    const { kysely } = this.#database;
    if (await seemsOlder(kysely, { tail, count })) {
      const hashes = await this.#file.readAll();
      // A hash with two records looks like a hash that the database lacks.
      if (await seemsOlder(kysely, { tail, count: hashes.size })) await this.#revokeMissing(hashes);
    }
    this.#background.start(0);
  }

  /**
   * Synchronizes the journal and the database.
   *
   * @returns what was revoked again in the database
   *
   * @throws {StartupError} 65 when the journal is damaged, 73 when it cannot be used
   */
  async reconcile(): Promise<Reapplied> {
    await this.#inspect();
    return this.#compare();
  }

  /** @param evict is called with what the journal revokes in the database from now on, so that no cache accepts it */
  onReapplied(evict: (hashes: Uint8Array[]) => void): void {
    this.#onReapplied = evict;
  }

  async stop(): Promise<void> {
    // The next start repeats a comparison that was interrupted.
    this.#stopping.abort();
    await this.#background.stop();
  }

  /**
   * Appends the hashes of keys whose revoke is committed. Resolves when they are on the disk.
   *
   * @throws {RequestError} storage_unavailable when they are not
   */
  async append(hashes: readonly Uint8Array[]): Promise<void> {
    try {
      this.#hold.demand();
      await this.#file.append(hashes.map(digits));
    } catch (error) {
      this.#failedWrites += 1;
      this.#logFailure(error);
      throw new RequestError({
        code: 'storage_unavailable',
        message:
          'The key is revoked, but that could not be written to the journal beside the database, which keeps it revoked when a backup is restored. Revoke it again until this succeeds.',
      });
    }
  }

  /** How often a write, or the comparison with the database, failed. */
  get failures(): number {
    return this.#failedWrites + this.#background.failures;
  }

  /** Reports changed keys, by the hashes of their secrets: those that are revoked are appended in the background. */
  keysChanged(hashes: readonly Uint8Array[]): void {
    if (this.#changed.length < mostChanged) this.#changed.push(...hashes);
    else this.#mustCompare = true;
  }

  /** Reports that changes may have been missed: everything is compared in the background. */
  changesMissed(): void {
    this.#mustCompare = true;
  }

  async #inspect(): Promise<Inspection> {
    const inspection = await this.#file.inspect();
    if (inspection.truncated)
      this.#log.warn('The end of the revocation journal was incomplete and is cut off');
    return inspection;
  }

  async #catchUp(): Promise<void> {
    // Another process may write to the same file.
    this.#hold.demand();
    const { kysely } = this.#database;
    while (this.#changed.length > 0) {
      const some = this.#changed.slice(0, atOnce);
      await this.#file.append((await revokedAmong(kysely, some)).map(digits));
      this.#changed = this.#changed.slice(some.length);
    }
    if (!this.#mustCompare) return;
    this.#mustCompare = false;
    try {
      await this.#compare();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // A damaged record stays damaged, and reading the whole file every second would be expensive.
      if (!(error instanceof StartupError && error.exitCode === exitCodes.data)) this.#mustCompare = true;
      throw error;
    }
  }

  /** Reads both in full. Revokes what the database lacks, and appends what the journal lacks. */
  async #compare(): Promise<Reapplied> {
    const { signal } = this.#stopping;
    const hashes = await this.#file.readAll(signal);
    const { onlyInJournal, onlyInDatabase } = await differences(this.#database.kysely, hashes, signal);
    const reapplied = await this.#revokeMissing(onlyInJournal);
    for (const some of slices(onlyInDatabase)) await this.#file.append(some);
    if (onlyInDatabase.length > 0)
      this.#log.info(`${onlyInDatabase.length} revoked hashes were added to the revocation journal`);
    return reapplied;
  }

  async #revokeMissing(hashes: ReadonlySet<string>): Promise<Reapplied> {
    const reapplied = await revokeMissing(this.#database.kysely, hashes, Date.now(), this.#onReapplied);
    if (reapplied.hashes > 0) {
      this.#log.warn(
        reapplied,
        'The database was older than the revocation journal: the revocations that it lacked are applied again',
      );
    }
    return reapplied;
  }
}
