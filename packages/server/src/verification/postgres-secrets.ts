import type pg from 'pg';
import { z } from 'zod';
import type { RateLimit } from '../keys/schemas.ts';
import type { Head } from '../revocation/link.ts';
import { columns, readStored, tables } from './known-secret.ts';
import type { Read, SecretSource } from './secret-source.ts';

/** Statements under way at most, and secrets that one of them asks for at most. */
const bounds = { statements: 4, secrets: 500 };

/** With the newest change, in one snapshot: it tells whether what was read may be remembered. */
const lookUp = `
  SELECT h.seq AS head_seq, h.token AS head_token, s.hash, ${columns}
  FROM change_head h LEFT JOIN (${tables}) ON s.hash = ANY($1)`;

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

interface Waiting {
  hash: string;
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
  #waiting: Waiting[] = [];
  #underWay = 0;

  /** @param usualLimit of keys that have none of their own, in workspaces that have none either */
  constructor(pool: pg.Pool, guard: FillGuard<Ticket>, usualLimit: RateLimit) {
    this.#pool = pool;
    this.#guard = guard;
    this.#usualLimit = usualLimit;
  }

  read(hash: string): Promise<Read> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ hash, resolve, reject });
      this.#send();
    });
  }

  #send(): void {
    if (this.#underWay >= bounds.statements || this.#waiting.length === 0) return;
    const asked = this.#waiting.slice(0, bounds.secrets);
    this.#waiting = this.#waiting.slice(asked.length);
    this.#underWay += 1;
    this.#ask(asked)
      .catch((error) => {
        // Those who wait would most likely wait for the same: they are told now, and not one timeout later.
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const { reject } of [...asked, ...waiting]) reject(error);
      })
      .finally(() => {
        this.#underWay -= 1;
        this.#send();
      });
  }

  async #ask(asked: readonly Waiting[]): Promise<void> {
    const ticket = this.#guard.beginRead();
    const hashes = asked.map(({ hash }) => Buffer.from(hash, 'latin1'));
    const { rows } = await this.#pool.query({ name: 'secrets', text: lookUp, values: [hashes] });
    const found = new Map<string, unknown>();
    let head: Head | undefined;
    for (const row of rows) {
      const { head_seq: seq, head_token: token, hash } = rowSchema.parse(row);
      head = { seq, token };
      if (hash !== null) found.set(Buffer.from(hash).toString('latin1'), row);
    }
    if (head === undefined) throw new Error('the head of changes is missing');
    const seen = head;
    const mayKeep = () => this.#guard.mayKeep(ticket, seen);
    for (const { hash, resolve } of asked) {
      resolve({ stored: readStored(found.get(hash), this.#usualLimit), mayKeep });
    }
  }
}
