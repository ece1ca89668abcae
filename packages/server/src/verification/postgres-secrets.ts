import type { RateLimit } from '@soku/contract/rate-limits';
import type pg from 'pg';
import { z } from 'zod';
import type { Head } from '../propagation/link.ts';
import { columns, joinedTables, readStored } from './known-secret.ts';
import type { Read, SecretSource } from './secret-source.ts';

/**
 * Statements under way at most, secrets that one of them asks for at most, and verifications that wait at most: while
 * the database hangs, anybody may send keys that are not remembered.
 */
const bounds = { statements: 4, secrets: 500, askers: 10_000 };

/**
 * With the newest change, in one snapshot: it tells whether what was read may be remembered. Nothing comes back from a
 * standby, which an address may lead to after a failover, and which may lag behind.
 */
const lookUp = `
  SELECT h.seq AS head_seq, h.token AS head_token, s.hash, ${columns}
  FROM change_head h LEFT JOIN (${joinedTables}) ON s.hash = ANY($1)
  WHERE NOT pg_is_in_recovery()`;

const rowSchema = z.looseObject({
  head_seq: z.number(),
  head_token: z.string(),
  hash: z.instanceof(Uint8Array).nullable(),
});

/** Says whether what is read now may be remembered later. */
export interface FillGuard<Ticket> {
  /** Called when the read is sent. */
  beginRead(): Ticket;
  /** @param head the newest change that the read saw */
  mayKeep(ticket: Ticket, head: Head): boolean;
}

/** A secret that was asked for, by one or several, and whose statement was not sent yet. */
interface Waiting {
  read: Promise<Read>;
  resolve: (read: Read) => void;
  reject: (error: unknown) => void;
}

/**
 * Reads secrets from PostgreSQL. What is asked for while all statements are under way goes together with the next one;
 * nobody joins a statement that was sent already, because it may not see a change that was made before the question.
 */
export class PostgresSecrets<Ticket> implements SecretSource {
  readonly #pool: pg.Pool;
  readonly #guard: FillGuard<Ticket>;
  readonly #usualLimit: RateLimit;
  /** By hash, in the order in which they were asked for first. */
  #waiting = new Map<string, Waiting>();
  /** How many ask for them. */
  #askers = 0;
  #underWay = 0;

  /** @param usualLimit of keys that have none of their own, in workspaces that have none either */
  constructor(pool: pg.Pool, guard: FillGuard<Ticket>, usualLimit: RateLimit) {
    this.#pool = pool;
    this.#guard = guard;
    this.#usualLimit = usualLimit;
  }

  async read(hash: string): Promise<Read> {
    if (this.#askers >= bounds.askers) throw new Error('too many verifications are waiting for the database');
    this.#askers += 1;
    try {
      const { read } = this.#waiting.get(hash) ?? this.#wait(hash);
      this.#send();
      return await read;
    } finally {
      this.#askers -= 1;
    }
  }

  #wait(hash: string): Waiting {
    const { promise: read, resolve, reject } = Promise.withResolvers<Read>();
    const waiting = { read, resolve, reject };
    this.#waiting.set(hash, waiting);
    return waiting;
  }

  #send(): void {
    if (this.#underWay >= bounds.statements || this.#waiting.size === 0) return;
    const asked = [...this.#waiting].slice(0, bounds.secrets);
    for (const [hash] of asked) this.#waiting.delete(hash);
    this.#underWay += 1;
    this.#ask(asked)
      .catch((error) => {
        // Those who wait would most likely wait for the same: they are told now, and not one timeout later.
        const all = [...asked, ...this.#waiting];
        this.#waiting = new Map();
        for (const [, { reject }] of all) reject(error);
      })
      .finally(() => {
        this.#underWay -= 1;
        this.#send();
      });
  }

  async #ask(asked: readonly (readonly [string, Waiting])[]): Promise<void> {
    const ticket = this.#guard.beginRead();
    const hashes = asked.map(([hash]) => Buffer.from(hash, 'latin1'));
    const { rows } = await this.#pool.query({ name: 'secrets', text: lookUp, values: [hashes] });
    const found = new Map<string, unknown>();
    let head: Head | undefined;
    for (const row of rows) {
      const { head_seq: seq, head_token: token, hash } = rowSchema.parse(row);
      head = { seq, token };
      if (hash !== null) found.set(Buffer.from(hash).toString('latin1'), row);
    }
    if (head === undefined) throw new Error('the database is a standby, or its change_head row is missing');
    const seen = head;
    const mayKeep = () => this.#guard.mayKeep(ticket, seen);
    for (const [hash, { resolve, reject }] of asked) {
      // What cannot be read is rejected alone.
      try {
        resolve({ stored: readStored(found.get(hash), this.#usualLimit), mayKeep });
      } catch (error) {
        reject(error);
      }
    }
  }
}
