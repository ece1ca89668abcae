import type { SqliteDatabase } from '../database/sqlite.ts';
import type { Window } from './sliding-window.ts';

/** Rows of one transaction. */
const slice = 500;

const writeWindow = 'INSERT INTO rate_window (key_id, minute, current, previous) VALUES (?, ?, ?, ?)';

const nothing = () => undefined;

/** Closing the database, which follows, puts all of it on the disk. */
const kept = { patience: 0, durable: false };

/** A window, and the id of the key that it belongs to. */
type KeyAndWindow = readonly [string, Window];

/** Where windows are while no process runs, so that a restart gives nobody a fresh quota. */
export class WindowStore {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /**
   * Writes these windows in place of those of the stop before. A million takes some seconds: they are written in the
   * order of the table, which is many times faster than any other.
   */
  async save(windows: readonly KeyAndWindow[]): Promise<void> {
    const sorted = windows.toSorted(([a], [b]) => (a < b ? -1 : 1));
    await this.#database.transact((connection) => connection.exec('DELETE FROM rate_window'), nothing, kept);
    for (let start = 0; start < sorted.length; start += slice) {
      await this.#database.transact(
        (connection) => {
          const statement = connection.prepare(writeWindow);
          for (const [keyId, { minute, current, previous }] of sorted.slice(start, start + slice)) {
            statement.run(keyId, minute, current, previous);
          }
        },
        nothing,
        kept,
      );
    }
  }

  /**
   * The windows of the last stop. They stay in the table until the next one: a start that fails then loses none, and
   * after a crash they are at least a part of what has passed.
   *
   * @param since epoch minutes; what is older counts nothing any more
   */
  async read(since: number): Promise<KeyAndWindow[]> {
    const rows = await this.#database.kysely
      .selectFrom('rate_window')
      .selectAll()
      .where('minute', '>=', since)
      .execute();
    return rows.map(({ key_id, ...window }) => [key_id, window]);
  }
}
