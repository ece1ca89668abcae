import type pg from 'pg';
import { z } from 'zod';
import type { Window } from './sliding-window.ts';

/** ms after which an answer is waited for no more: requests wait for it. */
const usualPatience = 800;

/** How many rows one statement reads. */
const mostRead = 5000;

/** How many rows one statement deletes. */
const mostDeleted = 1000;

const clock = '(SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at) c';

const tell = `
  SELECT at_ms AS at, key_id AS "keyId", minute, current, previous, granted
  FROM soku_tell_windows(NULL, $1, $2, $3, $4, $5, $6)`;

/** The minute before the present one counts still. By slices: all of them at once may be more than its bounds allow. */
const read = `
  SELECT w.*, w.minute >= c.at / 60000 - 1 AS counts
  FROM ${clock}, (
    SELECT key_id AS "keyId", minute, current, previous FROM rate_window WHERE key_id > $1
    ORDER BY key_id LIMIT ${mostRead}
  ) w ORDER BY w."keyId"`;

/** An array is computed once; a join would be computed again for each row when the statistics of the table are old. */
const prune = `
  DELETE FROM rate_window WHERE ctid = ANY (ARRAY(
    SELECT rate_window.ctid FROM rate_window, ${clock} WHERE minute < c.at / 60000 - 1
    LIMIT ${mostDeleted} FOR UPDATE OF rate_window SKIP LOCKED))`;

const clockSchema = z.object({ at: z.number() });
const windowSchema = z.object({
  keyId: z.string(),
  minute: z.number(),
  current: z.number(),
  previous: z.number(),
});
const readSchema = z.array(windowSchema.extend({ counts: z.boolean() }));
const toldSchema = clockSchema.extend({ ...windowSchema.shape, granted: z.number() });

/** What a node says of a key. */
export interface Telling {
  keyId: string;
  /** What passed here and was not told before. */
  passed: Window;
  /** How many more are to pass, as far as there is room. */
  wanted: number;
  /** Requests a minute. */
  quota: number;
}

/** What the database says of it. */
export interface Told extends Window {
  keyId: string;
  /** How many of the wanted ones pass; they are counted. */
  granted: number;
}

/** The sum over all nodes, in PostgreSQL, by its clock. */
export class SharedWindows {
  readonly #pool: pg.Pool;
  readonly #patience: number;

  /** @param patience ms, longer only where no request waits, such as in tests */
  constructor(pool: pg.Pool, patience = usualPatience) {
    this.#pool = pool;
    this.#patience = patience;
  }

  /**
   * One round trip.
   *
   * @param tellings of no key twice; may be none, to ask for the time
   * @returns `at` is the time by the database's clock, in epoch ms
   */
  async tell(tellings: readonly Telling[]): Promise<{ at: number; told: Told[] }> {
    if (tellings.length === 0) return { at: await this.#clock(), told: [] };
    const values = [
      tellings.map(({ keyId }) => keyId),
      tellings.map(({ passed }) => passed.minute),
      tellings.map(({ passed }) => passed.current),
      tellings.map(({ passed }) => passed.previous),
      tellings.map(({ wanted }) => wanted),
      tellings.map(({ quota }) => quota),
    ];
    const rows = z.array(toldSchema).parse(await this.#query(tell, values));
    const [first] = rows;
    if (first === undefined || rows.length !== tellings.length) throw new Error('a window is missing');
    return { at: first.at, told: rows };
  }

  /** The windows that count still, in slices. No request waits for them, so each has the pool's own time. */
  async *read(): AsyncGenerator<(Window & { keyId: string })[]> {
    let last = '';
    for (;;) {
      const rows = readSchema.parse((await this.#pool.query(read, [last])).rows);
      yield rows.filter(({ counts }) => counts);
      if (rows.length < mostRead) return;
      last = rows.at(-1)?.keyId ?? last;
    }
  }

  /** Deletes windows that count nothing any more. */
  async prune(): Promise<void> {
    let deleted: number | null;
    do deleted = (await this.#pool.query(prune)).rowCount;
    while (deleted === mostDeleted);
  }

  async #clock(): Promise<number> {
    const [row] = await this.#query(`SELECT at FROM ${clock}`, []);
    return clockSchema.parse(row).at;
  }

  async #query(text: string, values: unknown[]): Promise<unknown[]> {
    const query = { text, values, query_timeout: this.#patience };
    return (await this.#pool.query(query)).rows;
  }
}
