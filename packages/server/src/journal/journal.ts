import { join } from 'node:path';
import type { Logger } from 'pino';
import type { DataDirectory } from '../database/data-directory.ts';
import type { Hold } from '../database/directory-hold.ts';
import type { Database } from '../database/open.ts';
import { RequestError } from '../http/errors.ts';
import { atMostEvery } from '../http/logging.ts';
import { exitCodes, StartupError } from '../startup-error.ts';
import { later, Repeating } from '../timers/repeating.ts';
import { deadAmong, differences, digits, type Killed, killMissing, seemsOlder, slices } from './compare.ts';
import { DeadHashFile } from './file.ts';

/** ms from the end of one look at what is to be done in the background to the next. */
const interval = 1000;

/** ms between two log lines about revokes that could not be written. */
const failureInterval = 10_000;

/** Hashes of one look. */
const atOnce = 1000;

/** Most hashes that wait to be looked up; with more of them everything is compared. */
const mostHeard = 100_000;

/**
 * Which hashes are dead, kept in the data directory apart from the database: so a backup that is restored, or a
 * snapshot of the disk, brings no key back to life (docs/operations/backup.md).
 */
export class DeadHashJournal {
  readonly #file: DeadHashFile;
  readonly #hold: Hold;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #background: Repeating;
  /** Hashes of keys that another node has changed; not all of them are dead. */
  #heard: Uint8Array[] = [];
  /** Whether everything is to be compared: after a start, and when changes may have been missed. */
  #missed = true;
  #failedWrites = 0;
  readonly #stopping = new AbortController();
  #killed: (hashes: Uint8Array[]) => void = () => undefined;

  readonly #tellFailure = atMostEvery(failureInterval, (error: unknown, unsaid) =>
    this.#log.error({ err: error, unsaid }, 'a revoke could not be written to the journal of dead keys'),
  );

  constructor({ path, hold }: Pick<DataDirectory, 'path' | 'hold'>, database: Database, log: Logger) {
    this.#file = new DeadHashFile(join(path, 'dead-hashes'));
    this.#hold = hold;
    this.#database = database;
    this.#log = log;
    this.#background = new Repeating(() => this.#catchUp(), {
      interval,
      failed: (error) => log.error({ err: error }, 'the journal of dead keys lags behind'),
      later,
    });
  }

  /**
   * Kills again what an older database has alive. To be called before anything is verified. It sees what can be seen at
   * once; all is compared in the background.
   *
   * @throws {StartupError} 65 when the journal is damaged, 73 when it cannot be used
   */
  async start(): Promise<void> {
    if (await this.#seemsOlder()) {
      // Two lines of one hash look like a hash that the database lacks.
      await this.#file.compact();
      if (await this.#seemsOlder()) await this.#kill((await this.#file.all()).hashes);
    }
    this.#background.start(0);
  }

  /**
   * Brings both to the same state, for whoever can wait. @returns what was killed in the database
   *
   * @throws {StartupError} 65 when the journal is damaged, 73 when it cannot be used
   */
  async settle(): Promise<Killed> {
    await this.#look();
    return this.#compare();
  }

  /** @param killed is told of what the journal kills in the database from now on, so that no cache has it alive */
  onKilled(killed: (hashes: Uint8Array[]) => void): void {
    this.#killed = killed;
  }

  async stop(): Promise<void> {
    // A comparison under way is left to the next start.
    this.#stopping.abort();
    await this.#background.stop();
  }

  /**
   * Keeps the hashes of a key whose revoke is committed. Resolves when they are on the disk.
   *
   * @throws {RequestError} storage_unavailable when they are not
   */
  async keep(hashes: readonly Uint8Array[]): Promise<void> {
    try {
      this.#hold.demand();
      await this.#file.add(hashes.map(digits));
    } catch (error) {
      this.#failedWrites += 1;
      this.#tellFailure(error);
      throw new RequestError({
        code: 'storage_unavailable',
        message:
          'The key is revoked, but that could not be written to the journal beside the database, which keeps it revoked when a backup is restored. Revoke it again until this succeeds.',
      });
    }
  }

  /** How often something could not be written, or not be compared with the database. */
  get failures(): number {
    return this.#failedWrites + this.#background.failures;
  }

  /** Some of these may be dead: looked up and kept in the background. */
  heard(hashes: readonly Uint8Array[]): void {
    if (this.#heard.length < mostHeard) this.#heard.push(...hashes);
    else this.#missed = true;
  }

  /** Changes may have been missed: compared in the background. */
  missed(): void {
    this.#missed = true;
  }

  async #look() {
    const look = await this.#file.look();
    if (look.cut) this.#log.warn('The end of the journal of dead keys was unfinished, and is cut off');
    return look;
  }

  async #seemsOlder(): Promise<boolean> {
    return seemsOlder(this.#database.kysely, await this.#look());
  }

  async #catchUp(): Promise<void> {
    // Another process may write to the same file.
    this.#hold.demand();
    const { kysely } = this.#database;
    while (this.#heard.length > 0) {
      const some = this.#heard.slice(0, atOnce);
      await this.#file.add((await deadAmong(kysely, some)).map(digits));
      this.#heard = this.#heard.slice(some.length);
    }
    if (!this.#missed) return;
    this.#missed = false;
    try {
      await this.#compare();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // A damaged line does not mend itself, and reading all each second would cost a lot.
      if (!(error instanceof StartupError && error.exitCode === exitCodes.data)) this.#missed = true;
      throw error;
    }
  }

  /** Reads both in full; kills what the database lacks, and adds what the journal lacks. */
  async #compare(): Promise<Killed> {
    const { signal } = this.#stopping;
    const { hashes, lines } = await this.#file.all(signal);
    const hasSecondLines = hashes.size < lines;
    const { onlyInJournal, onlyInDatabase } = await differences(this.#database.kysely, hashes, signal);
    const killed = await this.#kill(onlyInJournal);
    for (const some of slices(onlyInDatabase)) await this.#file.add(some);
    if (onlyInDatabase.length > 0)
      this.#log.info(`${onlyInDatabase.length} dead keys were added to the journal`);
    if (hasSecondLines) await this.#file.compact();
    return killed;
  }

  async #kill(hashes: ReadonlySet<string>): Promise<Killed> {
    const killed = await killMissing(this.#database.kysely, hashes, Date.now(), this.#killed);
    if (killed.hashes > 0) {
      this.#log.warn(
        killed,
        'The database was older than the journal of dead keys: what was alive in it and should not is revoked again',
      );
    }
    return killed;
  }
}
