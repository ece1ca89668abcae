import type { SqliteDatabase } from '../database/sqlite.ts';
import type { LimitWindow } from './sliding-window.ts';

/** Number of rows per transaction. */
const slice = 500;

const writeWindow = 'INSERT INTO rate_window (key_id, minute, current, previous) VALUES (?, ?, ?, ?)';

const nothing = () => undefined;

/** Not durable, because the database is closed afterwards, which flushes everything to disk. */
const kept = { lockTimeoutMs: 0, durable: false };

/** A window and the ID of its key. */
type KeyAndWindow = readonly [string, LimitWindow];

/** Stores windows while no process runs, so that a restart does not reset limits. */
export class WindowStore {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /**
   * Replaces the windows of the previous shutdown. A million windows take some seconds: they are written in the order
   * of the table's key, which is many times faster than any other order.
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
   * Reads the windows of the last shutdown. They stay in the table until the next one, so a failed start loses none,
   * and after a crash they cover at least part of the requests.
   *
   * @param since epoch minutes; older windows have no effect
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
