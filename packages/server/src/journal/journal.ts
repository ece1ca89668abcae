import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { DataDirectory } from '../database/data-directory.ts';
import type { LockMonitor } from '../database/directory-lock-monitor.ts';
import type { Database } from '../database/open.ts';
import type { Tables } from '../database/schema.ts';
import { DatabaseUnavailable, StorageUnavailable } from '../database/unavailable.ts';
import { RequestError } from '../http/errors.ts';
import { throttle } from '../http/logging.ts';
import { exitCodes, StartupError } from '../startup-error.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import {
  compareHashes,
  filterRevoked,
  hashBatches,
  type ReapplyResult,
  revokeMissing,
  seemsOutdated,
  toHex,
} from './compare.ts';
import { type Inspection, RevokedHashFile } from './file.ts';

/** Time in ms between two runs of the background work. */
const interval = 1000;

/** Minimum time in ms between two log lines about revokes that could not be written to the journal. */
const failureInterval = 10_000;

/** Number of changed hashes per database lookup. */
const lookupBatchSize = 1000;

/** Maximum number of changed hashes that wait for a lookup. If there are more, all hashes are compared instead. */
const maxChanged = 100_000;

/**
 * The revoked hashes, stored in the data directory but separate from the database, so that neither a restored backup
 * nor a disk snapshot makes a revoked key valid again (docs/operations/backup.md).
 */
export class RevocationJournal {
  readonly #file: RevokedHashFile;
  readonly #lockMonitor: LockMonitor;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #background: PeriodicTask;
  /** Hashes of keys that were changed by any node. Not all of them are revoked. */
  #changed: Uint8Array[] = [];
  /** Whether a full comparison is due: after a start, and when changes may have been missed. */
  #mustCompare = true;
  #failures = 0;
  readonly #stopping = new AbortController();
  #onReapplied: (hashes: Uint8Array[]) => void = () => undefined;

  readonly #logFailure = throttle(failureInterval, (error: unknown, suppressed) =>
    this.#log.error({ err: error, suppressed }, 'a revoke could not be written to the revocation journal'),
  );

  constructor(
    { path, lockMonitor }: Pick<DataDirectory, 'path' | 'lockMonitor'>,
    database: Database,
    log: Logger,
  ) {
    this.#file = new RevokedHashFile(path, () => {
      log.warn(
        'The revocation journal was moved away, replaced or changed while the server runs; comparing it with the database',
      );
      this.changesMissed();
    });
    this.#lockMonitor = lockMonitor;
    this.#database = database;
    this.#log = log;
    this.#background = new PeriodicTask(() => this.#countingFailures(() => this.#catchUp()), {
      interval,
      failed: (error) =>
        log.error({ err: error }, 'the revocation journal could not be synchronized with the database'),
      schedule: scheduleTimer,
    });
  }

  /**
   * Revokes again the keys that are valid in an older database. Call it before anything is verified. It handles what it
   * can detect quickly. A full comparison runs in the background.
   *
   * @throws {StartupError} 65 if the journal is damaged, 73 if it cannot be used
   */
  async start(): Promise<void> {
    await this.#reapply(this.#database.kysely, await this.#inspect());
    this.#background.start(0);
  }

  /**
   * Does the same as `start` while the server runs, when the database may be older than before: it was restored, or a
   * standby took over. A full comparison runs in the background.
   *
   * @param identify reads which instance of the database was compared
   * @returns its result
   * @throws {StartupError} as `start`
   */
  async reapply(identify: (db: Kysely<Tables>) => Promise<string>): Promise<string> {
    this.changesMissed();
    return this.#countingFailures(async () => {
      const ends = await this.#file.peek();
      // On one connection: during a failover, another one may lead to another instance.
      return this.#database.kysely.connection().execute(async (db) => {
        const instance = await identify(db);
        await this.#reapply(db, ends);
        return instance;
      });
    });
  }

  /**
   * Synchronizes the journal and the database.
   *
   * @returns what was revoked again in the database
   *
   * @throws {StartupError} 65 if the journal is damaged, 73 if it cannot be used
   */
  async reconcile(): Promise<ReapplyResult> {
    await this.#inspect();
    return this.#compare();
  }

  /** @param evict called with hashes that the journal revokes from now on, so that no cache accepts them */
  onReapplied(evict: (hashes: Uint8Array[]) => void): void {
    this.#onReapplied = evict;
  }

  async stop(): Promise<void> {
    // The next start repeats a comparison that was interrupted.
    this.#stopping.abort();
    await this.#background.stop();
  }

  /**
   * Appends hashes whose revoke or retirement is committed. Resolves when they are on disk. What could not be written
   * is retried in the background.
   *
   * @throws {RequestError} storage_unavailable if they could not be written
   */
  async append(hashes: readonly Uint8Array[]): Promise<void> {
    try {
      this.#lockMonitor.checkNow();
      await this.#file.append(hashes.map(toHex));
    } catch (error) {
      this.#failures += 1;
      this.#logFailure(error);
      this.keysChanged(hashes);
      throw new RequestError({
        code: 'storage_unavailable',
        message:
          'The change is in effect, but the revocation journal could not be written, so a restored backup could undo it. Repeat the call until this succeeds.',
      });
    }
  }

  /** The number of times that the journal could not be written or checked. */
  get failures(): number {
    return this.#failures;
  }

  /** Reports changed keys by the hashes of their secrets. The revoked ones are appended in the background. */
  keysChanged(hashes: readonly Uint8Array[]): void {
    if (this.#changed.length < maxChanged) this.#changed.push(...hashes);
    else this.#mustCompare = true;
  }

  /** Reports that changes may have been missed, so that everything is compared in the background. */
  changesMissed(): void {
    this.#mustCompare = true;
  }

  async #reapply(db: Kysely<Tables>, { tail, count }: Pick<Inspection, 'count' | 'tail'>): Promise<void> {
    if (!(await seemsOutdated(db, { tail, count }))) return;
    const hashes = await this.#file.readAll();
    // A hash with two records looks like a hash that the database lacks, so compare again without duplicates.
    if (await seemsOutdated(db, { tail, count: hashes.size })) await this.#revokeMissing(hashes, db);
  }

  /** A database that does not respond is not a failure of the journal, and has alerts of its own. */
  async #countingFailures<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isUnreachable = error instanceof DatabaseUnavailable && !(error instanceof StorageUnavailable);
      if (!isUnreachable) this.#failures += 1;
      throw error;
    }
  }

  async #inspect(): Promise<Inspection> {
    const inspection = await this.#file.inspect();
    if (inspection.truncated) this.#log.warn('The incomplete end of the revocation journal was removed');
    return inspection;
  }

  async #catchUp(): Promise<void> {
    // Stops if another process has taken over the data directory, which may write to the same file.
    this.#lockMonitor.checkNow();
    const { kysely } = this.#database;
    while (this.#changed.length > 0) {
      const batch = this.#changed.slice(0, lookupBatchSize);
      await this.#file.append((await filterRevoked(kysely, batch)).map(toHex));
      this.#changed = this.#changed.slice(batch.length);
    }
    if (!this.#mustCompare) return;
    this.#mustCompare = false;
    try {
      await this.#compare();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // A damaged record stays damaged, and reading the whole file every second would be expensive, so do not retry.
      if (!(error instanceof StartupError && error.exitCode === exitCodes.data)) this.#mustCompare = true;
      throw error;
    }
  }

  /** Compares both in full, revokes the hashes that the database lacks, and appends those that the journal lacks. */
  async #compare(): Promise<ReapplyResult> {
    const { signal } = this.#stopping;
    const hashes = await this.#file.readAll(signal);
    const { onlyInJournal, onlyInDatabase } = await compareHashes(this.#database.kysely, hashes, signal);
    const reapplied = await this.#revokeMissing(onlyInJournal);
    for (const batch of hashBatches(onlyInDatabase)) await this.#file.append(batch);
    if (onlyInDatabase.length > 0)
      this.#log.info(`${onlyInDatabase.length} revoked hashes were added to the revocation journal`);
    return reapplied;
  }

  async #revokeMissing(hashes: ReadonlySet<string>, db = this.#database.kysely): Promise<ReapplyResult> {
    const reapplied = await revokeMissing(db, hashes, Date.now(), this.#onReapplied);
    if (reapplied.hashes > 0) {
      this.#log.warn(
        reapplied,
        'The database was older than the revocation journal; the missing revocations were applied again',
      );
    }
    return reapplied;
  }
}
