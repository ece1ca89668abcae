import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { compareCounts, PendingUses, type Place, type SecretCounts } from './pending-uses.ts';
import type { UsageLog } from './recorder.ts';
import { countRefusals, noRefusals, type Refusals } from './refusals.ts';

/**
 * Maximum number of rows that one transaction deletes. The pages of a row must be visited: a row of 200 counts has 15 kB,
 * or 80 kB if each key has its own client with a long user agent.
 */
const maxDeleted = 32;

/** Maximum number of counts per row when the log is written again at a start. */
const maxPerRow = 200;

/** The counts of one row of the log. */
const rowSchema = z.object({
  /** Address and user agent. */
  clients: z.array(z.tuple([z.string(), z.string()])),
  /**
   * SHA-256 in Base64, epoch hour, accepted, rejected by code (or only their number, from the previous version), ms of
   * the last accepted use, index of its client, changesLastUse.
   */
  uses: z.array(
    z.tuple([
      z.base64(),
      z.int(),
      z.int(),
      z.union([z.int(), z.record(z.string(), z.int())]),
      z.int(),
      z.int(),
      z.boolean(),
    ]),
  ),
});

type LoggedCounts = Omit<SecretCounts, 'keyId' | 'workspaceId'>;

/**
 * The log of usage in SQLite: rows of JSON with the counts of many secrets.
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

  async append(
    counts: readonly Readonly<SecretCounts>[],
    durable: boolean,
    logged: () => void,
  ): Promise<void> {
    await this.#database.transact(
      (connection) => insert(connection, this.#last + 1, counts),
      () => {
        this.#last += 1;
        logged();
      },
      { patience: 0, durable },
    );
  }

  async cut(unlogged: ReadonlySet<Readonly<SecretCounts>>, close: () => void): Promise<void> {
    await this.#database.transact(
      (connection) => {
        const cut = unlogged.size === 0 ? this.#last : this.#last + 1;
        if (cut > this.#last) insert(connection, cut, [...unlogged]);
        writeFlush(connection, { ...start, logId: cut });
        return cut;
      },
      (cut) => {
        [this.#last, this.#cut] = [cut, cut];
        close();
      },
      // From now on these counts are not appended again, so they must be as safe as after a save.
      { patience: 0, durable: true },
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
      { patience: 0, durable: false },
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
          insert(connection, last, counts.slice(from, from + maxPerRow));
        }
        return { counts, first, last };
      },
      ({ counts, first, last }) => {
        [this.#first, this.#last, this.#cut] = [first, last, first - 1];
        for (const one of counts) pending.add(one);
        pending.logged(counts);
      },
    );
    return unreadable;
  }
}

const newestSchema = z.tuple([z.object({ id: z.int().nullable() })]);

function insert(connection: DatabaseSync, id: number, counts: readonly Readonly<SecretCounts>[]): void {
  connection.prepare('INSERT INTO usage_log (id, counts) VALUES (?, ?)').run(id, format(counts));
}

function format(counts: readonly Readonly<SecretCounts>[]): string {
  const clients: [string, string][] = [];
  const indexes = new Map<string, number>();
  const indexOf = ({ address, agent }: Readonly<SecretCounts>): number => {
    const client = `${address} ${agent}`;
    const known = indexes.get(client);
    if (known !== undefined) return known;
    indexes.set(client, clients.length);
    return clients.push([address, cleanUserAgent(agent)]) - 1;
  };
  const uses = counts.map((one) => [
    Buffer.from(one.hash, 'latin1').toString('base64'),
    one.hour,
    one.accepted,
    one.refused === 0 ? 0 : one.refusedBy,
    one.lastMs,
    indexOf(one),
    one.changesLastUse,
  ]);
  return JSON.stringify({ clients, uses });
}

/** The counts of a row, or undefined if it was changed by hand. */
function parse(text: string): LoggedCounts[] | undefined {
  const row = rowSchema.safeParse(parseJson(text));
  if (!row.success) return undefined;
  const { clients, uses } = row.data;
  return uses.map(([hash, hour, accepted, rejected, lastMs, index, changesLastUse]) => {
    const [address, agent] = clients[index] ?? ['', ''];
    const refusedBy = refusalsOf(rejected);
    return {
      hash: Buffer.from(hash, 'base64').toString('latin1'),
      ...{ hour, accepted, refused: countRefusals(refusedBy), refusedBy },
      ...{ lastMs, address, agent, changesLastUse },
    };
  });
}

function refusalsOf(rejected: number | Refusals): Refusals {
  if (typeof rejected !== 'number') return rejected;
  return rejected === 0 ? noRefusals : { other: rejected };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* readRows(
  connection: DatabaseSync,
  unreadable: (id: number) => void,
): Generator<{ id: number; counts: LoggedCounts[] }> {
  for (const row of connection.prepare('SELECT id, counts FROM usage_log ORDER BY id').iterate()) {
    const id = Number(row.id);
    const counts = parse(String(row.counts));
    if (counts === undefined) unreadable(id);
    else yield { id, counts };
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
  rows: Iterable<{ id: number; counts: LoggedCounts[] }>,
  flush: Flush,
  keyOf: (hash: string) => KeyOfSecret | undefined,
): SecretCounts[] {
  const [closed, open] = [new Map<string, LoggedCounts>(), new Map<string, LoggedCounts>()];
  for (const { id, counts } of rows) {
    const newest = id <= flush.logId ? closed : open;
    for (const one of counts) newest.set(`${one.hour} ${one.hash}`, one);
  }
  const ofKeys = (newest: Map<string, LoggedCounts>): SecretCounts[] =>
    [...newest.values()].flatMap((one) => {
      const key = keyOf(one.hash);
      return key === undefined ? [] : { ...key, ...one };
    });
  const unwritten = new PendingUses();
  for (const one of ofKeys(closed)) if (compareCounts(one, flush) > 0) unwritten.add(one);
  for (const one of ofKeys(open)) unwritten.add(one);
  return [...unwritten.unlogged];
}
