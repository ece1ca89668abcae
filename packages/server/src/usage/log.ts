import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { allKeys, isInRange, type KeyIdRange } from './key-range.ts';
import { formatLogRow, type LogBatch, type LoggedCounts, type LogRow, parseLogRow } from './log-format.ts';
import { type CountsPosition, compareCounts, PendingUses, type SecretCounts } from './pending-uses.ts';
import type { UsageLog } from './recorder.ts';

/**
 * Maximum number of rows that one transaction deletes. A deletion visits all pages of a row: a row of 200 counts has
 * 15 kB, or 80 kB if each key has its own client with a long user agent.
 */
const maxDeleted = 32;

/** Maximum number of counts per row when a start rewrites the log. */
const maxPerRow = 200;

/**
 * The usage log in SQLite. Each row has the counts of many secrets (log-format.ts), and each use is in exactly one row,
 * so adding up the rows gives the totals.
 *
 * A pass of a flush writes the counts of a range of keys that are in the rows up to its cut. Its transactions record
 * the range, the cut and the progress (the last counts that they wrote) in `usage_flush`, so after a crash it is known
 * which counts of these rows are already written. Such a record is deleted with the rows.
 */
export class SqliteUsageLog implements UsageLog {
  readonly #database: SqliteDatabase;
  /** The ID of the oldest row. IDs only increase, so that a new row is never mistaken for one before a cut. */
  #first = 1;
  #last = 0;
  #pass: Pass = { logId: 0, ...allKeys };

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async append(read: () => LogBatch, durable: boolean, logged: () => void): Promise<void> {
    await this.#database.transact(
      (connection) => insert(connection, this.#last + 1, read()),
      () => {
        this.#last += 1;
        logged();
      },
      { lockTimeoutMs: 0, durable },
    );
  }

  get end(): number {
    return this.#last;
  }

  async cut(pending: PendingUses, keys: KeyIdRange): Promise<void> {
    // A cut always adds a row, even an empty one, so that no two cuts are the same.
    const logId = this.#last + 1;
    await this.#database.transact(
      (connection) => insert(connection, logId, { counts: pending.unlogged }),
      () => {
        this.#last = logId;
        this.#pass = { logId, ...keys };
        pending.close();
      },
      // From now on these counts are not appended again, so they must be as safe as after a save.
      { lockTimeoutMs: 0, durable: true },
    );
  }

  async trim(end: number): Promise<boolean> {
    if (this.#first > end) return false;
    const until = Math.min(this.#first + maxDeleted - 1, end);
    await this.#database.transact(
      (connection) => {
        connection.prepare('DELETE FROM usage_log WHERE id <= ?').run(until);
        // These passes have written nothing from the rows that are left.
        connection.prepare('DELETE FROM usage_flush WHERE log_id <= ?').run(until);
      },
      () => {
        this.#first = until + 1;
      },
      { lockTimeoutMs: 0, durable: false },
    );
    return this.#first <= end;
  }

  /** Records how far a pass has come. @param last the last counts that the transaction writes */
  recordProgress(connection: DatabaseSync, { hour, keyId, hash }: CountsPosition): void {
    const { logId, after, until } = this.#pass;
    connection
      .prepare(
        'REPLACE INTO usage_flush (log_id, after_key, until_key, hour, key_id, hash) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(logId, after, until, hour, keyId, Buffer.from(hash, 'latin1'));
  }

  /**
   * Reads the counts that a crashed process logged but did not write, and rewrites the log so that it contains only
   * these. Must be called once before all other methods.
   *
   * @param pending receives the counts
   * @returns the IDs of the rows that cannot be read because someone changed them; they are deleted
   */
  async recover(pending: PendingUses): Promise<number[]> {
    const unreadable: number[] = [];
    await this.#database.transact(
      (connection) => {
        const passes = readPasses(connection);
        const rows = readRows(connection, (id) => unreadable.push(id));
        const counts = combine(rows, passes, keyFinder(connection));
        const [{ id: newest }] = newestSchema.parse(
          connection.prepare('SELECT max(id) AS id FROM usage_log').all(),
        );
        let last = Math.max(newestCut(passes), newest ?? 0);
        const first = last + 1;
        connection.prepare('DELETE FROM usage_log').run();
        connection.prepare('DELETE FROM usage_flush').run();
        for (let from = 0; from < counts.length; from += maxPerRow) {
          last += 1;
          insert(connection, last, { counts: counts.slice(from, from + maxPerRow) });
        }
        return { counts, first, last };
      },
      ({ counts, first, last }) => {
        [this.#first, this.#last] = [first, last];
        for (const one of counts) pending.add(one);
      },
    );
    return unreadable;
  }
}

const newestSchema = z.tuple([z.object({ id: z.int().nullable() })]);

function insert(connection: DatabaseSync, id: number, batch: LogBatch): void {
  connection.prepare('INSERT INTO usage_log (id, counts) VALUES (?, ?)').run(id, formatLogRow(batch));
}

function* readRows(
  connection: DatabaseSync,
  unreadable: (id: number) => void,
): Generator<LogRow & { id: number }> {
  for (const row of connection.prepare('SELECT id, counts FROM usage_log ORDER BY id').iterate()) {
    const id = Number(row.id);
    const parsed = parseLogRow(String(row.counts));
    if (parsed === undefined) unreadable(id);
    else yield { id, ...parsed };
  }
}

/** A pass of a flush: it writes the counts of a range of keys. */
interface Pass extends KeyIdRange {
  /** The cut: the ID of the newest row of the log that it writes. */
  logId: number;
}

/** How far a pass has come. */
interface Progress extends Pass {
  /** The last counts that it has written, in the order of `compareCounts`. */
  last: CountsPosition;
}

const progressSchema = z.object({
  log_id: z.int(),
  after_key: z.string(),
  until_key: z.string(),
  hour: z.int(),
  key_id: z.string(),
  hash: z.instanceof(Uint8Array),
});

function readPasses(connection: DatabaseSync): Progress[] {
  const rows = connection.prepare('SELECT * FROM usage_flush').all();
  return rows.map((row) => {
    const { log_id, after_key, until_key, hour, key_id, hash } = progressSchema.parse(row);
    const last = { hour, keyId: key_id, hash: Buffer.from(hash).toString('latin1') };
    return { logId: log_id, after: after_key, until: until_key, last };
  });
}

function newestCut(passes: readonly Pass[]): number {
  return Math.max(0, ...passes.map(({ logId }) => logId));
}

type KeyOfSecret = Pick<SecretCounts, 'keyId' | 'workspaceId'>;

function keyFinder(connection: DatabaseSync): (hash: string) => KeyOfSecret | undefined {
  const find = connection.prepare(
    'SELECT k.id, k.workspace_id FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE s.hash = ?',
  );
  return (hash) => {
    const row = find.get(Buffer.from(hash, 'latin1'));
    return row === undefined ? undefined : { keyId: String(row.id), workspaceId: String(row.workspace_id) };
  };
}

/** The counts of the rows that no pass has written, one entry for each secret and hour. */
function combine(
  rows: Iterable<LogRow & { id: number }>,
  passes: readonly Progress[],
  keyOf: (hash: string) => KeyOfSecret | undefined,
): SecretCounts[] {
  const unwritten = new PendingUses();
  const add = (id: number, one: LoggedCounts): void => {
    const key = keyOf(one.hash);
    if (key === undefined) return;
    const counts = { ...key, ...one };
    const isWritten = passes.some(
      (pass) => id <= pass.logId && isInRange(key.keyId, pass) && compareCounts(counts, pass.last) <= 0,
    );
    if (!isWritten) unwritten.add(counts);
  };
  const cut = newestCut(passes);
  const totals = new Map<string, { id: number; one: LoggedCounts }>();
  for (const { id, counts, areTotals } of rows) {
    for (const one of counts) {
      if (areTotals) totals.set(`${id > cut} ${one.hour} ${one.hash}`, { id, one });
      else add(id, one);
    }
  }
  for (const { id, one } of totals.values()) add(id, one);
  return [...unwritten.open()];
}
