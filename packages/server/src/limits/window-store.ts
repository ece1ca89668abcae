import type { Database } from '../database/open.ts';
import type { Window } from './sliding-window.ts';

/** Rows of one transaction. */
const slice = 500;

const writeWindow = `
  INSERT OR REPLACE INTO rate_window (key_id, minute, current, previous) VALUES (?, ?, ?, ?)`;

/** A window, and the id of the key that it belongs to. */
type KeyAndWindow = readonly [string, Window];

/** Where windows are while no process runs, so that a restart gives nobody a fresh quota. */
export class WindowStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A million takes some seconds: in the order of the table, which is many times faster than in any other. */
  async save(windows: readonly KeyAndWindow[]): Promise<void> {
    const sorted = windows.toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (let start = 0; start < sorted.length; start += slice) {
      await this.#database.transact(
        (connection) => {
          const statement = connection.prepare(writeWindow);
          for (const [keyId, { minute, current, previous }] of sorted.slice(start, start + slice)) {
            statement.run(keyId, minute, current, previous);
          }
        },
        () => undefined,
      );
    }
  }

  /**
   * Takes the windows out that were saved: after a crash, the next start must not find them again.
   *
   * @param since epoch minutes; what is older counts nothing any more
   */
  async take(since: number): Promise<KeyAndWindow[]> {
    return this.#database.kysely.transaction().execute(async (db) => {
      const rows = await db.selectFrom('rate_window').selectAll().where('minute', '>=', since).execute();
      await db.deleteFrom('rate_window').execute();
      return rows.map(({ key_id, ...window }) => [key_id, window] as const);
    });
  }
}
