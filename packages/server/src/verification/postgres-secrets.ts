import type { RateLimit } from '@soku/contract/rate-limits';
import type pg from 'pg';
import { z } from 'zod';
import { serverInstanceSql } from '../database/postgres-pool.ts';
import type { LogPosition } from '../propagation/cluster-store.ts';
import type { SecretRead, SecretSource } from './secret-source.ts';
import { parseStoredSecret, secretColumns, secretTables } from './stored-secret.ts';

/**
 * Maximum number of concurrent statements, secrets per statement, and waiting verifications. The last limit matters
 * while the database hangs, because any client can send keys that are not cached.
 */
const bounds = { statements: 4, secrets: 500, callers: 10_000 };

/**
 * Maximum time in ms from the start of a read until another instance of PostgreSQL was compared with the journal. Proxies
 * that verify keys wait for 2 s (docs/protect-with-nginx.md).
 */
const longestWait = 1500;

/**
 * Reads the newest change in the same snapshot, which determines whether the result may be cached. Returns no rows on a
 * standby: after a failover the address may lead to one, and it may lag behind.
 */
const lookUp = `
  SELECT h.seq AS head_seq, h.token AS head_token, ${serverInstanceSql} AS instance, s.hash, ${secretColumns}
  FROM change_head h LEFT JOIN (${secretTables}) ON s.hash = ANY($1)
  WHERE NOT pg_is_in_recovery()`;

const replaced =
  'PostgreSQL was restarted or replaced; this server has not compared its revocation journal with it yet';

const rowSchema = z.looseObject({
  head_seq: z.number(),
  head_token: z.string(),
  instance: z.string(),
  hash: z.instanceof(Uint8Array).nullable(),
});

/** Decides whether the result of a read may be used, and cached. */
export interface FillGuard<Ticket> {
  /** Called before the read is sent. */
  beginRead(): Ticket;
  /** @param head the newest change that the read saw */
  mayCache(ticket: Ticket, head: LogPosition): boolean;
  /** Whether the result may decide about a key. @param instance of the server that was read */
  trusts(instance: string): boolean;
  /** Resolves to true when the newest instance is trusted, or to false after `ms`. */
  whenTrusted(ms: number): Promise<boolean>;
}

/** What one statement has read. */
interface Found<Ticket> {
  ticket: Ticket;
  head: LogPosition;
  /** By hash. */
  rows: Map<string, unknown>;
}

/** A requested secret whose statement has not been sent, with one or more waiting callers. */
interface Waiting {
  read: Promise<SecretRead>;
  resolve: (read: SecretRead) => void;
  reject: (error: unknown) => void;
}

/**
 * Reads secrets from PostgreSQL. Requests that arrive while all statements are in flight are batched into the next one.
 * A request never joins a statement that was already sent, because that may miss a change committed before the request.
 */
export class PostgresSecrets<Ticket> implements SecretSource {
  readonly #pool: pg.Pool;
  readonly #guard: FillGuard<Ticket>;
  readonly #fallbackLimit: RateLimit;
  /** By hash, in the order of the first request. */
  #waiting = new Map<string, Waiting>();
  /** Number of callers that wait. */
  #callers = 0;
  #inFlight = 0;

  /** @param fallbackLimit default limit if neither the key nor its workspace has one */
  constructor(pool: pg.Pool, guard: FillGuard<Ticket>, fallbackLimit: RateLimit) {
    this.#pool = pool;
    this.#guard = guard;
    this.#fallbackLimit = fallbackLimit;
  }

  async read(hash: string): Promise<SecretRead> {
    if (this.#callers >= bounds.callers)
      throw new Error('too many verifications are waiting for the database');
    this.#callers += 1;
    try {
      const { read } = this.#waiting.get(hash) ?? this.#wait(hash);
      this.#send();
      return await read;
    } finally {
      this.#callers -= 1;
    }
  }

  #wait(hash: string): Waiting {
    const { promise: read, resolve, reject } = Promise.withResolvers<SecretRead>();
    const waiting = { read, resolve, reject };
    this.#waiting.set(hash, waiting);
    return waiting;
  }

  #send(): void {
    if (this.#inFlight >= bounds.statements || this.#waiting.size === 0) return;
    const batch = [...this.#waiting].slice(0, bounds.secrets);
    for (const [hash] of batch) this.#waiting.delete(hash);
    this.#inFlight += 1;
    this.#query(batch)
      .catch((error) => {
        // Waiting requests would most likely fail the same way, so they fail now instead of one timeout later.
        const all = [...batch, ...this.#waiting];
        this.#waiting = new Map();
        for (const [, { reject }] of all) reject(error);
      })
      .finally(() => {
        this.#inFlight -= 1;
        this.#send();
      });
  }

  async #query(batch: readonly (readonly [string, Waiting])[]): Promise<void> {
    const hashes = batch.map(([hash]) => Buffer.from(hash, 'latin1'));
    const { ticket, head, rows } = await this.#readTrusted(hashes);
    const mayCache = () => this.#guard.mayCache(ticket, head);
    for (const [hash, { resolve, reject }] of batch) {
      // A row that cannot be parsed fails only its own request.
      try {
        resolve({ stored: parseStoredSecret(rows.get(hash), this.#fallbackLimit), mayCache });
      } catch (error) {
        reject(error);
      }
    }
  }

  /** Reads again when another instance of PostgreSQL has responded and was then compared with the journal. */
  async #readTrusted(hashes: readonly Buffer[]): Promise<Found<Ticket>> {
    const begun = performance.now();
    const found = await this.#read(hashes);
    if (found !== undefined) return found;
    const isTrusted = await this.#guard.whenTrusted(Math.max(0, begun + longestWait - performance.now()));
    const again = isTrusted ? await this.#read(hashes) : undefined;
    if (again === undefined) throw new Error(replaced);
    return again;
  }

  /** @returns undefined if the instance that responded is not trusted */
  async #read(hashes: readonly Buffer[]): Promise<Found<Ticket> | undefined> {
    const ticket = this.#guard.beginRead();
    const result = await this.#pool.query({ name: 'secrets', text: lookUp, values: [hashes] });
    const rows = new Map<string, unknown>();
    let head: LogPosition | undefined;
    for (const row of result.rows) {
      const { head_seq: seq, head_token: token, hash, instance } = rowSchema.parse(row);
      if (!this.#guard.trusts(instance)) return undefined;
      head = { seq, token };
      if (hash !== null) rows.set(Buffer.from(hash).toString('latin1'), row);
    }
    if (head === undefined) throw new Error('the database is a standby, or its change_head row is missing');
    return { ticket, head, rows };
  }
}
