import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { formatLogRow, type LogBatch, type LoggedCounts, type LogRow, parseLogRow } from './log-format.ts';
import { compareCounts, PendingUses, type Place, type SecretCounts } from './pending-uses.ts';
import type { UsageLog } from './recorder.ts';

/**
 * Maximum number of rows that one transaction deletes. The pages of a row must be visited: a row of 200 counts has 15 kB,
 * or 80 kB if each key has its own client with a long user agent.
 */
const maxDeleted = 32;

/** Maximum number of counts per row when the log is written again at a start. */
const maxPerRow = 200;

/**
 * The log of usage in SQLite: rows with the counts of many secrets (log-format.ts). They are added up, so each use is
 * in one row.
 *
 * A flush writes the counts of the rows up to the cut. Its transactions record in `usage_flush` the cut and how far it
 * has come in the order of the counts, so after a crash it is known which counts of these rows are already written.
 */
export class SqliteUsageLog implements UsageLog {
  readonly #database: SqliteDatabase;
  /** The oldest row. IDs only increase, so that no row is taken for one before the cut. */
  #first = 1;
  #last = 0;
  #cut = 0;

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

  async cut(pending: PendingUses): Promise<void> {
    await this.#database.transact(
      (connection) => {
        const counts = pending.unlogged;
        const cut = counts.length === 0 ? this.#last : this.#last + 1;
        if (cut > this.#last) insert(connection, cut, { counts });
        writeFlush(connection, { ...start, logId: cut });
        return cut;
      },
      (cut) => {
        [this.#last, this.#cut] = [cut, cut];
        pending.close();
      },
      // From now on these counts are not appended again, so they must be as safe as after a save.
      { lockTimeoutMs: 0, durable: true },
    );
  }

  async trim(): Promise<boolean> {
    if (this.#first > this.#cut) return false;
    const until = Math.min(this.#first + maxDeleted - 1, this.#cut);
    await this.#database.transact(
      (connection) => connection.prepare('DELETE FROM usage_log WHERE id <= ?').run(until),
      () => {
        this.#first = until + 1;
      },
      { lockTimeoutMs: 0, durable: false },
    );
    return this.#first <= this.#cut;
  }

  /** Records how far a flush has come. @param last the last counts that the transaction writes */
  recordFlush(connection: DatabaseSync, last: Place): void {
    writeFlush(connection, { ...last, logId: this.#cut });
  }

  /**
   * Reads what a crashed process has logged and not written, and writes the log again without the rest. Must be called
   * once before all other methods.
   *
   * @param pending receives the counts
   * @returns the IDs of the rows that could not be read, because someone changed them; they are deleted
   */
  async recover(pending: PendingUses): Promise<number[]> {
    const unreadable: number[] = [];
    await this.#database.transact(
      (connection) => {
        const flush = readFlush(connection);
        const rows = readRows(connection, (id) => unreadable.push(id));
        const counts = combine(rows, flush, keyFinder(connection));
        const [{ id: newest }] = newestSchema.parse(
          connection.prepare('SELECT max(id) AS id FROM usage_log').all(),
        );
        let last = Math.max(flush.logId, newest ?? 0);
        const first = last + 1;
        connection.prepare('DELETE FROM usage_log').run();
        for (let from = 0; from < counts.length; from += maxPerRow) {
          last += 1;
          insert(connection, last, { counts: counts.slice(from, from + maxPerRow) });
        }
        return { counts, first, last };
      },
      ({ counts, first, last }) => {
        [this.#first, this.#last, this.#cut] = [first, last, first - 1];
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

/** How far the last flush has come. */
interface Flush extends Place {
  /** The newest row of the log that it writes. */
  logId: number;
}

/** Before all counts. */
const start: Place = { hour: 0, keyId: '', hash: '' };

const flushSchema = z.object({
  log_id: z.int(),
  hour: z.int(),
  key_id: z.string(),
  hash: z.instanceof(Uint8Array),
});

function readFlush(connection: DatabaseSync): Flush {
  const row = connection.prepare('SELECT log_id, hour, key_id, hash FROM usage_flush').get();
  if (row === undefined) return { ...start, logId: 0 };
  const { log_id, hour, key_id, hash } = flushSchema.parse(row);
  return { logId: log_id, hour, keyId: key_id, hash: Buffer.from(hash).toString('latin1') };
}

function writeFlush(connection: DatabaseSync, { logId, hour, keyId, hash }: Flush): void {
  connection
    .prepare('REPLACE INTO usage_flush (id, log_id, hour, key_id, hash) VALUES (1, ?, ?, ?, ?)')
    .run(logId, hour, keyId, Buffer.from(hash, 'latin1'));
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

/** The counts of the rows that the flush has not written, one entry for each secret and hour. */
function combine(
  rows: Iterable<LogRow & { id: number }>,
  flush: Flush,
  keyOf: (hash: string) => KeyOfSecret | undefined,
): SecretCounts[] {
  const unwritten = new PendingUses();
  const add = (id: number, one: LoggedCounts): void => {
    const key = keyOf(one.hash);
    if (key === undefined) return;
    const counts = { ...key, ...one };
    if (id > flush.logId || compareCounts(counts, flush) > 0) unwritten.add(counts);
  };
  const totals = new Map<string, { id: number; one: LoggedCounts }>();
  for (const { id, counts, areTotals } of rows) {
    for (const one of counts) {
      if (areTotals) totals.set(`${id > flush.logId} ${one.hour} ${one.hash}`, { id, one });
      else add(id, one);
    }
  }
  for (const { id, one } of totals.values()) add(id, one);
  return [...unwritten.open()];
}
