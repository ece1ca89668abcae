import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Database } from '../database/open.ts';
import { RequestError } from '../http/errors.ts';
import { later, Repeating } from '../usage/repeating.ts';
import { addMissing, compare, deadAmong, digits, type Killed, killMissing } from './compare.ts';
import { DeadHashFile } from './file.ts';

/** ms from the end of one look at what is to be done in the background to the next. */
const interval = 1000;

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
  readonly #database: Database;
  readonly #log: Logger;
  readonly #background: Repeating;
  /** Hashes of keys that another node has changed; not all of them are dead. */
  #heard: Uint8Array[] = [];
  /** Whether changes may have been missed. */
  #missed = false;
  /** Whether the journal lacks hashes that the database has. */
  #lacking = false;

  constructor(directory: string, database: Database, log: Logger) {
    this.#file = new DeadHashFile(join(directory, 'dead-hashes'));
    this.#database = database;
    this.#log = log;
    this.#background = new Repeating(() => this.#catchUp(), {
      interval,
      failed: (error) => log.error({ err: error }, 'the journal of dead keys lags behind; it is tried again'),
      later,
    });
  }

  /**
   * Kills again what an older database has alive. To be called before anything is verified.
   *
   * @throws {StartupError} 65 when the journal is damaged, 73 when it cannot be used
   */
  async start(): Promise<void> {
    await this.#compare();
    this.#background.start(0);
  }

  /** Brings both to the same state, for whoever can wait. @returns what was killed in the database */
  async settle(): Promise<Killed> {
    const killed = await this.#compare();
    await this.#catchUp();
    return killed;
  }

  async stop(): Promise<void> {
    await this.#background.stop();
  }

  /**
   * Keeps the hashes of a key whose revoke is committed. Resolves when they are on the disk.
   *
   * @throws {RequestError} internal_error when they are not
   */
  async keep(hashes: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#file.add(hashes.map(digits));
    } catch (error) {
      this.#log.error({ err: error }, 'a revoke could not be written to the journal of dead keys');
      throw new RequestError({
        code: 'internal_error',
        message:
          'The key is dead, but that could not be written to the journal beside the database, which keeps it dead when a backup is restored. Revoke it again until this succeeds.',
      });
    }
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

  async #compare(): Promise<Killed> {
    const { kysely } = this.#database;
    const { cut, ...look } = await this.#file.look();
    if (cut) this.#log.warn('The end of the journal of dead keys was unfinished, and is cut off');
    const comparison = await compare(kysely, look);
    const killed = comparison === 'older' ? await this.#killAgain() : { hashes: 0, keys: 0 };
    if (comparison !== 'same') this.#lacking = true;
    return killed;
  }

  async #killAgain(): Promise<Killed> {
    const { kysely } = this.#database;
    const killed = await killMissing(kysely, await this.#file.all(), Date.now());
    if (killed.hashes > 0) {
      this.#log.warn(
        killed,
        'The database was older than the journal of dead keys: what was alive in it and should not is revoked again',
      );
    }
    // Two lines of one hash look like a hash that the database lacks.
    await this.#file.compact();
    return killed;
  }

  async #catchUp(): Promise<void> {
    const { kysely } = this.#database;
    if (this.#missed) {
      await this.#compare();
      this.#missed = false;
    }
    if (this.#lacking) {
      const added = await addMissing(kysely, this.#file);
      this.#lacking = false;
      if (added > 0) this.#log.info(`${added} dead keys were added to the journal`);
    }
    while (this.#heard.length > 0) {
      const some = this.#heard.slice(0, atOnce);
      await this.#file.add((await deadAmong(kysely, some)).map(digits));
      this.#heard = this.#heard.slice(some.length);
    }
  }
}
